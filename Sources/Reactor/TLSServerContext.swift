internal import COpenSSL

/// A listener's TLS settings: certificates, protocols, ticket keys.
///
/// Immutable: a reload creates a new one. Connections of the old one hold what they need of it, so
/// it may be released at any time.
@safe
package final class TLSServerContext: Sendable {
    /// Not errors, but worth logging: `cert.pem: the certificate expired on …`.
    package let warnings: [String]
    /// The context of the first certificate; OpenSSL reference-counts it and locks where it
    /// changes.
    nonisolated(unsafe) let context: OpaquePointer

    /// Reads all files and creates the context; blocks on disk I/O, at startup and at a reload.
    ///
    /// - Parameters:
    ///   - certificates: selected by SNI; the first is the default. Two with the same names and
    ///     different key types (RSA and EC) are used side by side.
    ///   - alpn: the supported protocols in order of preference. A client whose list has none of
    ///     them is refused with an alert; one without a list gets HTTP/1.1.
    ///   - clientAuthority: a PEM file; if given, every client must present a certificate signed by
    ///     one of its authorities.
    ///   - tickets: the process's keys, which stay the same over a reload.
    package init(
        certificates: [TLSCertificateFiles], alpn: [TLSApplicationProtocol],
        clientAuthority: String?, tickets: TLSTicketKeys
    ) throws(TLSConfigurationError) {
        guard !certificates.isEmpty else {
            throw TLSConfigurationError(
                file: "", problem: "TLS needs a certificate and its key; give both files")
        }
        let authorities = try clientAuthority.map { file throws(TLSConfigurationError) in
            try TLSCertificate.read(file)
        }
        let identities = try certificates.map { files throws(TLSConfigurationError) in
            try TLSIdentity(files)
        }
        let making = TLSServerContextMaking(
            protocols: alpn, authorities: authorities ?? [],
            authorityFile: clientAuthority ?? "", tickets: tickets)
        var names = TLSServerNames()
        var warnings = identities.flatMap(\.warnings)
        var shown: [(names: [String], kinds: Set<Int32>, context: TLSServerContextReference)] = []
        for identity in identities {
            let twin = shown.firstIndex {
                $0.names == identity.names && !$0.kinds.contains(identity.kindOfKey)
            }
            if let twin {
                try unsafe identity.install(in: shown[twin].context.pointer)
                shown[twin].kinds.insert(identity.kindOfKey)
                continue
            }
            let made = try making.make()
            try unsafe identity.install(in: made.pointer)
            if !names.add(identity.names, index: shown.count), !shown.isEmpty {
                warnings.append(identity.neverShown)
            }
            shown.append((identity.names, [identity.kindOfKey], made))
        }
        self.warnings = warnings
        let first = shown[0].context
        making.choose(among: shown.map(\.context), by: names)
        _ = unsafe SSL_CTX_up_ref(first.pointer)
        unsafe context = unsafe first.pointer
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// A certificate with its chain and key, which were read and match.
struct TLSIdentity {
    /// In lower case; sorted, so that two can be compared.
    let names: [String]
    let warnings: [String]
    private let files: TLSCertificateFiles
    private let chain: [TLSCertificate]
    private let key: TLSPrivateKey

    /// The warning for a certificate that no client will ever get.
    var neverShown: String {
        names.isEmpty
            ? "\(files.certificate): no host name in it, so that no client is shown it"
            : "\(files.certificate): certificates before it have all its names; it is never shown"
    }

    /// EVP_PKEY_RSA, EVP_PKEY_EC, …: an OpenSSL context holds one certificate of each type.
    var kindOfKey: Int32 { unsafe EVP_PKEY_get_base_id(key.pointer) }

    init(_ files: TLSCertificateFiles) throws(TLSConfigurationError) {
        self.files = files
        chain = try TLSCertificate.read(files.certificate)
        key = try TLSPrivateKey(files.key)
        guard key.matches(chain[0]) else {
            throw TLSConfigurationError(
                file: files.key,
                problem: "the key does not belong to the first certificate of "
                    + files.certificate)
        }
        names = TLSServerNames.names(of: chain[0]).sorted()
        warnings = Self.warnings(files, chain)
    }

    private static func warnings(
        _ files: TLSCertificateFiles, _ chain: [TLSCertificate]
    ) -> [String] {
        var warnings: [String] = []
        if let text = chain[0].dateWarning { warnings.append("\(files.certificate): \(text)") }
        for (index, (one, next)) in zip(chain, chain.dropFirst()).enumerated()
        where !one.isIssued(by: next) {
            warnings.append(
                "\(files.certificate): certificate \(index + 2) is not the issuer of the one "
                    + "before it; clients may refuse the chain")
        }
        if let text = TLSPrivateKey.modeWarning(files.key) {
            warnings.append("\(files.key): \(text)")
        }
        return warnings
    }

    /// Installs all of it in a context.
    func install(in context: OpaquePointer) throws(TLSConfigurationError) {
        ERR_clear_error()
        // Order matters: the chain is attached to the certificate set last.
        guard unsafe SSL_CTX_use_certificate(context, chain[0].pointer) == 1 else {
            throw TLSConfigurationError(
                file: files.certificate,
                problem: "OpenSSL refuses the certificate: \(OpenSSLErrors.first())")
        }
        guard unsafe SSL_CTX_use_PrivateKey(context, key.pointer) == 1 else {
            throw TLSConfigurationError(
                file: files.key, problem: "OpenSSL refuses the key: \(OpenSSLErrors.first())")
        }
        for certificate in chain.dropFirst()
        where unsafe mooring_ssl_add_chain(context, certificate.pointer) != 1 {
            throw TLSConfigurationError(
                file: files.certificate,
                problem: "OpenSSL refuses the chain: \(OpenSSLErrors.first())")
        }
    }
}
