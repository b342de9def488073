internal import CLinux
internal import COpenSSL

/// The protocol inside TLS, by its name in ALPN (RFC 7301 section 6).
package enum TLSApplicationProtocol: Sendable {
    case http11
    case http2

    var name: String.UTF8View {
        switch self {
        case .http11: "http/1.1".utf8
        case .http2: "h2".utf8
        }
    }
}

/// Settings common to both sides of TLS.
enum TLSContext {
    /// ECDHE and AEAD only: forward secrecy, and no CBC (Mozilla's "intermediate" list without DHE,
    /// which is expensive and no longer requested by clients).
    private static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    private static let ciphers13 =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let groups = "X25519:P-256:P-384"
    /// The most certificates between the peer's and the authority.
    private static let chainDepth: Int32 = 5

    /// A context with this program's defaults; freed by the caller.
    ///
    /// TLS 1.2 and 1.3. Security level 2: RSA from 2048 bits, no SHA-1 in signatures.
    static func make(_ method: OpaquePointer?) throws(TLSConfigurationError) -> OpaquePointer {
        // OpenSSL uses write(2): without this a closed peer would kill the program with SIGPIPE.
        mooring_ignore_sigpipe()
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(method) else {
            throw TLSConfigurationError(file: "", problem: OpenSSLErrors.first())
        }
        unsafe SSL_CTX_set_security_level(context, 2)
        _ = unsafe SSL_CTX_set_options(context, mooring_ssl_options)
        // Without AUTO_RETRY a read returns after each record without application data, so that a
        // flood of them cannot block the loop.
        unsafe mooring_ssl_set_modes(context, mooring_ssl_modes, Int(SSL_MODE_AUTO_RETRY))
        unsafe mooring_ssl_read_ahead(context)
        unsafe mooring_ssl_no_session_cache(context)
        unsafe SSL_CTX_set_verify_depth(context, chainDepth)
        guard unsafe mooring_ssl_versions(context, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, ciphers) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, ciphers13) == 1,
            unsafe mooring_ssl_groups(context, groups) == 1
        else {
            unsafe SSL_CTX_free(context)
            throw TLSConfigurationError(
                file: "", problem: "this OpenSSL refuses: \(OpenSSLErrors.first())")
        }
        return unsafe context
    }

    /// Trusts every certificate of a PEM file, and no other.
    ///
    /// A certificate signed by another is trusted by itself: a file with an intermediate authority
    /// means that one, not all that its issuer has signed.
    static func trust(
        _ authorities: [TLSCertificate], in context: OpaquePointer
    ) {
        let store = unsafe SSL_CTX_get_cert_store(context)
        _ = unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        for authority in authorities {
            _ = unsafe X509_STORE_add_cert(store, authority.pointer)
        }
        ERR_clear_error()
    }
}
