internal import TestSupport

/// The files that samples of keys name: a token, and a certificate with its key.
struct KeyFiles {
    private let folder = TemporaryFolder()
    private let paths: [(word: String, path: String)]

    init() {
        paths = [
            ("TOKEN", folder.file("token", String(repeating: "secret", count: 8))),
            ("CERTIFICATE", folder.file("certificate.pem", Self.certificate)),
            ("KEY", folder.file("key.pem", Self.key)),
        ]
    }

    /// A text with the paths of the files.
    func named(in text: String) -> String {
        paths.reduce(text) { $0.replacing($1.word, with: $1.path) }
    }

    /// Signed by itself, for a.example, until 2126.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBfzCCASWgAwIBAgIUAVAYBOmRzK3UhSiXOG8THOZMFsowCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJYS5leGFtcGxlMCAXDTI2MTEyOTE0MjIzOVoYDzIxMjYxMTA1
        MTQyMjM5WjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAS2RIHfiFVJVzmAU14TbiDmlt5mLOCmbkMai45jBYwwXXSB5k/L+QmH
        ZWnTtjTUoX0m742ac53MjJI4lG4thwKQo1MwUTAdBgNVHQ4EFgQUzv8MtTriuocP
        GiF10UYQaebvtYIwHwYDVR0jBBgwFoAUzv8MtTriuocPGiF10UYQaebvtYIwDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA/eDH45MX4UdK5yCoioaQ
        XiejLbEn69uWHeLZpib5VO0CIBRuajDKb0sriHPvMoG5UzD7gZYLsN1N8rXQMpar
        ffkz
        -----END CERTIFICATE-----
        """

    /// It is the key of nothing else.
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgctbgTMyuiYykXVUW
        i5T56YwuAGzOQvksTDuByrN8cUehRANCAAS2RIHfiFVJVzmAU14TbiDmlt5mLOCm
        bkMai45jBYwwXXSB5k/L+QmHZWnTtjTUoX0m742ac53MjJI4lG4thwKQ
        -----END PRIVATE KEY-----
        """
}
