internal import COpenSSL

/// How servers behind the balancer are spoken to over TLS.
///
/// Immutable, shared by all loops; connections keep what they need of it.
@safe
package final class TLSClientContext: Sendable {
    /// Whom to believe that a server is the one that was meant.
    package enum Trust: Equatable, Sendable {
        /// The authorities that the system trusts.
        case system
        /// Those of a PEM file, and no others.
        case authorities(file: String)
        /// Anybody: the traffic is hidden from those who only listen.
        case unverified
    }

    /// OpenSSL counts who holds a context, and locks where it changes.
    nonisolated(unsafe) let context: OpaquePointer
    let isVerifying: Bool

    /// Reads the authorities; blocks on the disk.
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
        // Here, of all calls, 0 means success.
        guard unsafe SSL_CTX_set_alpn_protos(made, offered, UInt32(offered.count)) == 0 else {
            throw TLSConfigurationError(file: "", problem: OpenSSLErrors.first())
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Tells a connection whom to ask for and whom to expect.
    ///
    /// An address is expected among the certificate's addresses and not asked for by SNI, which has
    /// host names only (RFC 6066 section 3).
    func expect(_ name: String, on ssl: OpaquePointer) -> Bool {
        var host = name
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        // Of a name with a NUL inside OpenSSL would see the beginning alone.
        guard !host.isEmpty, !host.utf8.contains(0) else { return false }
        defer { ERR_clear_error() }
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return true }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return unsafe SSL_set1_host(ssl, host) == 1 && mooring_ssl_ask_for(ssl, host) == 1
    }
}
