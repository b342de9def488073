internal import Backends
internal import ConfigFile
internal import HTTPWire
internal import Reactor
internal import ReverseProxy
internal import Settings

/// The TLS files of a configuration, read together, so that an invalid file changes nothing.
struct SecurityFiles: Sendable {
    /// In the order of the configuration's listeners; nil: clear text.
    let listeners: [TLSServerContext?]
    /// In the order of its groups.
    let servers: [[ProcessAddress: SecureServer]]
    /// Not errors, but worth logging.
    let warnings: [String]

    /// - Parameter tickets: the program's one set of keys, so that tickets survive a reload.
    /// - Throws: `ConfigurationProblems` that name the files.
    init(_ configuration: Configuration, tickets: TLSTicketKeys) throws(ConfigurationProblems) {
        var warnings: [String] = []
        var problems: [Problem] = []
        listeners = configuration.listeners.map { listener in
            guard !listener.certificates.isEmpty else { return nil }
            let faults = Self.faults(of: listener)
            problems += faults
            // A missing file name is a problem of the configuration itself.
            let isNamed = listener.certificates.allSatisfy {
                !$0.certificate.isEmpty && !$0.key.isEmpty
            }
            if !isNamed || !faults.isEmpty { return nil }
            do throws(TLSConfigurationError) {
                let context = try TLSServerContext(
                    certificates: listener.certificates.map {
                        TLSCertificateFiles(certificate: $0.certificate, key: $0.key)
                    }, alpn: listener.http2 ? [.http2, .http11] : [.http11],
                    clientAuthority: listener.clientAuthority, tickets: tickets)
                warnings += context.warnings
                return context
            } catch {
                problems.append(Self.problem("\(error)", with: listener))
                return nil
            }
        }
        servers = configuration.groups.map { group in
            var servers: [ProcessAddress: SecureServer] = [:]
            for server in group.servers {
                guard let tls = server.tls else { continue }
                let trust: TLSClientContext.Trust =
                    tls.verifies
                    ? tls.authority.map { .authorities(file: $0) } ?? .system : .unverified
                do throws(TLSConfigurationError) {
                    let context = try TLSClientContext(trust: trust)
                    servers[server.address] = SecureServer(context: context, name: tls.name)
                } catch {
                    let key = "group.\(group.name).servers.ca"
                    let location = group.authorityLocations[server.address]
                    problems.append((location ?? .init()).problem(key, "\(error)"))
                }
            }
            return servers
        }
        self.warnings = warnings
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }

    /// What is wrong with the files of a listener, each at its own line.
    private static func faults(of listener: Configuration.Listener) -> [Problem] {
        var problems: [Problem] = []
        for pair in listener.certificates {
            let (certificate, key) = (pair.certificate, pair.key)
            let ofCertificate =
                certificate.isEmpty
                ? nil : TLSConfigurationError.fault(ofCertificates: certificate)
            if let ofCertificate {
                problems.append(
                    pair.certificateLocation.problem("listen.tls.certificate", "\(ofCertificate)"))
            }
            let ofKey = key.isEmpty ? nil : TLSConfigurationError.fault(ofKey: key)
            if let ofKey {
                problems.append(pair.keyLocation.problem("listen.tls.key", "\(ofKey)"))
            }
            if ofCertificate != nil || ofKey != nil || certificate.isEmpty || key.isEmpty {
                continue
            }
            let files = TLSCertificateFiles(certificate: certificate, key: key)
            if let ofPair = TLSConfigurationError.fault(ofPair: files) {
                problems.append(problem("\(ofPair)", with: listener))
            }
        }
        if let authority = listener.clientAuthority,
            let fault = TLSConfigurationError.fault(ofCertificates: authority)
        {
            problems.append(
                listener.clientAuthorityLocation.problem("listen.client_ca", "\(fault)"))
        }
        return problems
    }

    /// The problem at the line that names the file.
    private static func problem(
        _ sentence: String, with listener: Configuration.Listener
    ) -> Problem {
        if let authority = listener.clientAuthority, sentence.contains(authority) {
            return listener.clientAuthorityLocation.problem("listen.client_ca", sentence)
        }
        // A sentence about two files begins with the offending one.
        let named = listener.certificates.flatMap { files in
            [
                (files.certificate, files.certificateLocation, "listen.tls.certificate"),
                (files.key, files.keyLocation, "listen.tls.key"),
            ]
        }.compactMap { path, location, key in
            sentence.firstRange(of: path).map { ($0.lowerBound, location, key) }
        }
        if let (_, location, key) = named.min(by: { $0.0 < $1.0 }) {
            return location.problem(key, sentence)
        }
        let location =
            listener.certificates.first?.certificateLocation ?? listener.clientAuthorityLocation
        return location.problem("listen.tls", sentence)
    }
}

extension Configuration.Listener {
    /// The listener's settings for the data plane.
    ///
    /// - Throws: `ServingError` when an entry of `trusted_proxies` is not a network.
    func settings(tls: TLSServerContext?) throws -> ListenerSettings {
        var settings = ListenerSettings(address)
        settings.http2 = http2
        settings.proxyProtocol = proxyProtocol
        settings.tls = tls
        settings.redirectsToHTTPS = redirectsToHTTPS
        settings.headers = ExtraFields(headers.map { ($0.name, $0.value) })
        settings.givesRequestIDs = requestID
        settings.beginsTraces = traceparent
        do {
            settings.trusted = try TrustedNetworks(parsing: trustedProxies)
        } catch {
            throw ServingError.invalid("listen.trusted_proxies: \(error.description)")
        }
        return settings
    }
}
