internal import COpenSSL

/// The TLS client settings for external servers.
///
/// Immutable and shared by all loops; connections hold a reference to what they need.
@safe
package final class TLSClientContext: Sendable {
    /// How a server's certificate is verified.
    package enum Trust: Equatable, Sendable {
        /// The authorities that the system trusts.
        case system
        /// Only the authorities of a PEM file.
        case authorities(file: String)
        /// Not verified: protects only against passive eavesdropping.
        case unverified
    }

    /// OpenSSL reference-counts a context, and locks where it changes.
    nonisolated(unsafe) let context: OpaquePointer
    let isVerifying: Bool

    /// Reads the authorities; blocks on disk I/O.
    package init(trust: Trust) throws(TLSConfigurationError) {
        let authorities: [TLSCertificate]
        switch trust {
        case .authorities(let file): authorities = try TLSCertificate.read(file)
        case .system, .unverified: authorities = []
        }
        let made = try unsafe TLSContext.make(TLS_client_method())
        unsafe context = unsafe made
        isVerifying = trust != .unverified
        switch trust {
        case .system: _ = unsafe SSL_CTX_set_default_verify_paths(made)
        case .authorities: unsafe TLSContext.trust(authorities, in: made)
        case .unverified: break
        }
        unsafe SSL_CTX_set_verify(made, isVerifying ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        let offered =
            [UInt8(TLSApplicationProtocol.http11.name.count)]
            + Array(TLSApplicationProtocol.http11.name)
        // This function, unlike others, returns 0 on success.
        guard unsafe SSL_CTX_set_alpn_protos(made, offered, UInt32(offered.count)) == 0 else {
            throw TLSConfigurationError(file: "", problem: OpenSSLErrors.first())
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Sets SNI and the name to verify for a connection.
    ///
    /// An address is verified against the certificate's addresses and not sent as SNI, which allows
    /// only host names (RFC 6066 section 3).
    func expect(_ name: String, on ssl: OpaquePointer) -> Bool {
        var host = name
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        // OpenSSL would truncate a name at a NUL.
        guard !host.isEmpty, !host.utf8.contains(0) else { return false }
        defer { ERR_clear_error() }
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return true }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return unsafe SSL_set1_host(ssl, host) == 1 && mooring_ssl_ask_for(ssl, host) == 1
    }
}
