internal import Backends
internal import ConfigFile
internal import HTTPWire
internal import Reactor
internal import ReverseProxy
internal import Settings

/// What a configuration needs of the disk for TLS, read as a whole: a bad file changes nothing.
struct SecurityFiles: Sendable {
    /// In the order of the configuration's listeners; nil: clear text.
    let listeners: [TLSServerContext?]
    /// In the order of its groups.
    let servers: [[ProcessAddress: SecureServer]]
    /// What is not wrong, but worth a line in the log.
    let warnings: [String]

    /// - Parameter tickets: the program's one set of keys, so that tickets outlive a reload.
    /// - Throws: `ConfigurationProblems` that name the files.
    init(_ configuration: Configuration, tickets: TLSTicketKeys) throws(ConfigurationProblems) {
        var warnings: [String] = []
        var problems: [Problem] = []
        listeners = configuration.listeners.map { listener in
            guard !listener.certificates.isEmpty else { return nil }
            let missing = Self.missingFiles(of: listener)
            problems += missing
            // One that is not even named is a problem of the configuration itself.
            let isNamed = listener.certificates.allSatisfy {
                !$0.certificate.isEmpty && !$0.key.isEmpty
            }
            if !isNamed || !missing.isEmpty { return nil }
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

    /// The files of a listener that cannot be read, each at its own line.
    private static func missingFiles(of listener: Configuration.Listener) -> [Problem] {
        var files = listener.certificates.flatMap { files in
            [
                (files.certificate, files.certificateLocation, "listen.tls.certificate"),
                (files.key, files.keyLocation, "listen.tls.key"),
            ]
        }
        if let authority = listener.clientAuthority {
            files.append((authority, listener.clientAuthorityLocation, "listen.client_ca"))
        }
        return files.compactMap { path, location, key in
            guard !path.isEmpty, let fault = TLSConfigurationError.fault(ofFile: path) else {
                return nil
            }
            return location.problem(key, "\(fault)")
        }
    }

    /// At the line of the file that it names.
    private static func problem(
        _ sentence: String, with listener: Configuration.Listener
    ) -> Problem {
        if let authority = listener.clientAuthority, sentence.contains(authority) {
            return listener.clientAuthorityLocation.problem("listen.client_ca", sentence)
        }
        // A sentence about two files begins with the one that is wrong.
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
    /// What the data plane is told of it.
    ///
    /// - Throws: `ServingError` when a network of `trusted_proxies` is none.
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
