internal import COpenSSL
internal import Glibc

/// The two files of a certificate; they may be the same one.
package struct TLSCertificateFiles: Equatable, Hashable, Sendable {
    /// PEM: the server's certificate first, then the chain up to one that clients know.
    package var certificate: String
    /// PEM: the private key, EC or RSA, without a pass phrase.
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// A certificate in memory, freed with the object; used while a context is created.
@safe final class TLSCertificate {
    let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe X509_free(pointer) }

    /// All certificates of a PEM file in their order; blocks of other kinds are skipped.
    ///
    /// - Throws: when the file cannot be read, holds none, or one that is damaged.
    static func read(_ file: String) throws(TLSConfigurationError) -> [TLSCertificate] {
        let source = try PEMSource(file)
        var certificates: [TLSCertificate] = []
        ERR_clear_error()
        while let next = unsafe PEM_read_bio_X509(source.bio, nil, nil, nil) {
            certificates.append(unsafe TLSCertificate(next))
            if certificates.count > certificatesPerFile {
                throw TLSConfigurationError(
                    file: file, problem: "more than \(certificatesPerFile) certificates in it")
            }
        }
        let atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
        defer { ERR_clear_error() }
        if !atEnd {
            throw TLSConfigurationError(
                file: file,
                problem: "certificate \(certificates.count + 1) is damaged: "
                    + OpenSSLErrors.first())
        }
        if certificates.isEmpty {
            throw TLSConfigurationError(
                file: file,
                problem: "no certificate in it: a PEM file is wanted, "
                    + "with a line -----BEGIN CERTIFICATE-----")
        }
        return certificates
    }

    /// The system's own bundles hold some 150.
    private static let certificatesPerFile = 1000

    /// A warning about its validity dates; nil: it is valid now.
    var dateWarning: String? {
        if let end = unsafe X509_get0_notAfter(pointer), unsafe X509_cmp_current_time(end) < 0 {
            return unsafe "the certificate expired on \(Self.text(of: end))"
        }
        if let start = unsafe X509_get0_notBefore(pointer), unsafe X509_cmp_current_time(start) > 0
        {
            return unsafe "the certificate is not valid before \(Self.text(of: start))"
        }
        return nil
    }

    /// Whether `other` has signed this one, judged by names and key identifiers.
    func isIssued(by other: TLSCertificate) -> Bool {
        unsafe X509_check_issued(other.pointer, pointer) == X509_V_OK
    }

    /// `Nov  3 12:00:00 2026 GMT`.
    private static func text(of time: UnsafePointer<ASN1_TIME>) -> String {
        unsafe OpenSSLText.written { bio in unsafe ASN1_TIME_print(bio, time) }
    }
}

/// A private key in memory.
@safe final class TLSPrivateKey {
    let pointer: OpaquePointer

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// Reads the first private key of a PEM file.
    init(_ file: String) throws(TLSConfigurationError) {
        let source = try PEMSource(file)
        ERR_clear_error()
        defer { ERR_clear_error() }
        // Otherwise OpenSSL would ask for a pass phrase on the terminal.
        if let key = unsafe PEM_read_bio_PrivateKey(source.bio, nil, { _, _, _, _ in -1 }, nil) {
            unsafe pointer = unsafe key
            return
        }
        guard source.holds("PRIVATE KEY-----") else {
            throw TLSConfigurationError(
                file: file,
                problem: "no private key in it: a PEM file is wanted, "
                    + "with a line -----BEGIN PRIVATE KEY-----")
        }
        let problem =
            switch ERR_GET_REASON(ERR_peek_last_error()) {
            case PEM_R_BAD_PASSWORD_READ, PEM_R_PROBLEMS_GETTING_PASSWORD:
                "the key is protected by a pass phrase; "
                    + "write one without: openssl pkey -in KEY -out NEW_KEY"
            default: "the private key is damaged: " + OpenSSLErrors.first()
            }
        throw TLSConfigurationError(file: file, problem: problem)
    }

    /// Whether the certificate is about this key.
    func matches(_ certificate: TLSCertificate) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return unsafe X509_check_private_key(certificate.pointer, pointer) == 1
    }

    /// A warning if every user of the machine may read the file.
    static func modeWarning(_ file: String) -> String? {
        var status = stat()
        guard unsafe stat(file, &status) == 0, status.st_mode & 0o007 != 0 else { return nil }
        return "every user of this machine may read the key; chmod 600 it"
    }
}

extension TLSConfigurationError {
    /// Why a file cannot serve as a chain of certificates; nil: it can.
    package static func fault(ofCertificates file: String) -> TLSConfigurationError? {
        fault { () throws(TLSConfigurationError) in _ = try TLSCertificate.read(file) }
    }

    /// Why a file cannot serve as a private key; nil: it can.
    package static func fault(ofKey file: String) -> TLSConfigurationError? {
        fault { () throws(TLSConfigurationError) in _ = try TLSPrivateKey(file) }
    }

    /// Why two files that are valid each do not belong together; nil: they do.
    package static func fault(ofPair files: TLSCertificateFiles) -> TLSConfigurationError? {
        fault { () throws(TLSConfigurationError) in _ = try TLSIdentity(files) }
    }

    private static func fault(
        _ reading: () throws(TLSConfigurationError) -> Void
    ) -> TLSConfigurationError? {
        do throws(TLSConfigurationError) {
            try reading()
            return nil
        } catch {
            return error
        }
    }
}

/// A PEM file's content as OpenSSL reads it; wiped after use, since it may contain a key.
@safe private final class PEMSource {
    let bio: OpaquePointer
    private var bytes: [UInt8]

    /// Far larger than any chain or bundle.
    private static let limit = 4 << 20

    init(_ file: String) throws(TLSConfigurationError) {
        bytes = try Self.content(file)
        // BIO_s_mem copies the bytes, since an array may move in memory.
        let made: OpaquePointer? = unsafe BIO_new(BIO_s_mem())
        guard let made = unsafe made,
            unsafe BIO_write(made, bytes, Int32(bytes.count)) == Int32(bytes.count)
        else {
            unsafe BIO_free(made)
            throw TLSConfigurationError(file: file, problem: "no memory to read it")
        }
        unsafe bio = unsafe made
    }

    deinit {
        unsafe BIO_free(bio)
        unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        }
    }

    /// Whether a text occurs anywhere in the file.
    func holds(_ text: String) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: text.utf8) }
    }

    /// Reads a regular file; a FIFO or device might never end.
    private static func content(_ file: String) throws(TLSConfigurationError) -> [UInt8] {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            throw TLSConfigurationError(
                file: file, problem: "cannot be read: \(SystemError.message(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TLSConfigurationError(file: file, problem: "not a file")
        }
        guard status.st_size > 0 else {
            throw TLSConfigurationError(file: file, problem: "the file is empty")
        }
        guard status.st_size <= limit else {
            throw TLSConfigurationError(
                file: file, problem: "too large for a PEM file: above \(limit >> 20) MiB")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe Glibc.read(
                    descriptor, all.baseAddress.map { unsafe $0 + filled }, all.count - filled)
            }
            if got < 0 && errno == EINTR { continue }
            if got < 0 {
                throw TLSConfigurationError(
                    file: file, problem: "cannot be read: \(SystemError.message(errno))")
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }
}

/// Text that OpenSSL prints.
enum OpenSSLText {
    /// At most 1 KiB of what `print` writes.
    static func written(_ print: (OpaquePointer) -> Int32) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        _ = unsafe print(bio)
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        ERR_clear_error()
        return String(decoding: bytes.prefix(Int(max(count, 0))), as: UTF8.self)
    }
}
