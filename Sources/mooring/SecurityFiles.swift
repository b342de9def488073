internal import Backends
internal import ConfigFile
internal import HTTPWire
internal import Reactor
internal import ReverseProxy

/// What a configuration needs of the disk for TLS, read as a whole: a bad file changes nothing.
struct SecurityFiles: Sendable {
    /// In the order of the configuration's listeners; nil: clear text.
    let listeners: [TLSServerContext?]
    /// In the order of its groups.
    let servers: [[ProcessAddress: SecureServer]]
    /// What is not wrong, but worth a line in the log.
    let warnings: [String]

    /// - Parameter tickets: the program's one set of keys, so that tickets outlive a reload.
    /// - Throws: `CommandFailure` with the exit code of a wrong configuration; it names the file.
    init(_ configuration: Configuration, tickets: TLSTicketKeys) throws {
        var warnings: [String] = []
        listeners = try configuration.listeners.map { listener in
            guard !listener.certificates.isEmpty else { return nil }
            let context = try Self.reading("listen \(listener.text)") {
                () throws(TLSConfigurationError) in
                try TLSServerContext(
                    certificates: listener.certificates.map {
                        TLSCertificateFiles(certificate: $0.certificate, key: $0.key)
                    }, alpn: listener.http2 ? [.http2, .http11] : [.http11],
                    clientAuthority: listener.clientAuthority, tickets: tickets)
            }
            warnings += context.warnings
            return context
        }
        servers = try configuration.groups.map { group in
            var servers: [ProcessAddress: SecureServer] = [:]
            for server in group.secureServers {
                let trust: TLSClientContext.Trust =
                    server.verifies
                    ? server.authority.map { .authorities(file: $0) } ?? .system : .nobodyIsVerified
                let context = try Self.reading("group.\(group.name).servers") {
                    () throws(TLSConfigurationError) in try TLSClientContext(trust: trust)
                }
                servers[server.address] = SecureServer(context: context, name: server.name)
            }
            return servers
        }
        self.warnings = warnings
    }

    private static func reading<Value>(
        _ key: String, _ body: () throws(TLSConfigurationError) -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch {
            throw CommandFailure.usage("\(key): \(error)")
        }
    }
}

extension Configuration.Listener {
    /// What the data plane is told of it.
    ///
    /// - Throws: `CommandFailure` when a network of `trusted_proxies` is none.
    func settings(tls: TLSServerContext?) throws -> ListenerSettings {
        let place: ListenerSettings.Place =
            switch self.place {
            case .address(let address): .address(address)
            case .inherited(let name): .inherited(name: name)
            }
        var settings = ListenerSettings(place)
        settings.http2 = http2
        settings.proxyProtocol = proxyProtocol
        settings.tls = tls
        do {
            settings.trusted = try TrustedNetworks(parsing: trustedProxies)
        } catch {
            throw CommandFailure.usage("listen.trusted_proxies: \(error.description)")
        }
        return settings
    }
}
