internal import Backends
internal import ConfigFile
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Routing
internal import SessionAffinity
internal import Supervision

/// A configuration in the terms of the parts that carry it out.
struct ServingPlan: Sendable {
    let configuration: Configuration
    /// In the order of the groups, as everything here.
    let policies: [GroupPolicy]
    /// Nil: external servers.
    let launches: [LaunchSpec?]
    let files: SecurityFiles
    /// In the order of the configuration's listeners.
    private let listeners: [ListenerSettings]

    /// - Parameters:
    ///   - environment: Mooring's own, of which the processes get what is named.
    ///   - tickets: keys of TLS tickets, the same ones for the whole run.
    /// - Throws: `CommandFailure` when a file, a user or a network is not what it has to be.
    init(
        _ configuration: Configuration, environment: [String: String], tickets: TLSTicketKeys
    ) throws {
        self.configuration = configuration
        let files = try SecurityFiles(configuration, tickets: tickets)
        self.files = files
        listeners = try zip(configuration.listeners, files.listeners).map { listener, tls in
            try listener.settings(tls: tls)
        }
        policies = configuration.groups.map(\.policy)
        let hostFile = Supervisor.hostFile(inRuntimeDirectory: configuration.runtimeDirectory)
        launches = try configuration.groups.map { group in
            try group.launch.map { launch in
                try Self.spec(launch, of: group, hostFile: hostFile, environment: environment)
            }
        }
    }

    var logFormat: ConsoleLogHandler.Format {
        switch configuration.log.format {
        case .text: .text
        case .json: .json
        }
    }

    var logLevel: Logger.Level {
        switch configuration.log.level {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }

    private static func spec(
        _ launch: Configuration.Launch, of group: Configuration.Group, hostFile: String,
        environment: [String: String]
    ) throws -> LaunchSpec {
        let isolation = try launch.isolation.resolved(group: group.name)
        let base = LaunchEnvironment.base(
            from: environment, passing: launch.passEnvironment, account: isolation.account)
        var spec = self.program(launch, of: group, hostFile: hostFile, environment: base)
        spec.isolation = isolation
        spec.health = group.health.map { health in
            HealthPolicy(
                path: health.path, interval: health.interval, timeout: health.timeout,
                rise: health.rise, fall: health.fall)
        }
        spec.maxMemory = launch.maxMemory > 0 ? Int64(launch.maxMemory) : nil
        spec.outputFile = launch.outputFile
        return spec
    }

    /// - Parameter environment: the clean one that the group's own is added to.
    private static func program(
        _ launch: Configuration.Launch, of group: Configuration.Group, hostFile: String,
        environment: [String: String]
    ) -> LaunchSpec {
        let whole = environment.merging(launch.environment) { _, own in own }
        switch launch.application {
        case .command(let command):
            return LaunchSpec(
                command: command, directory: launch.directory, environment: whole,
                threads: group.policy.threads, multiprocess: launch.processesGiven,
                groupName: group.name)
        case .wsgi(let application, let server, let python):
            return .wsgi(
                application: application, server: server.rawValue, python: python,
                hostFile: hostFile, directory: launch.directory, environment: whole,
                threads: group.policy.threads, multiprocess: launch.processesGiven,
                groupName: group.name)
        }
    }
}

// What the data plane is told.

extension ServingPlan {
    func proxySettings(keyring: Keyring) -> ProxySettings {
        var settings = ProxySettings(
            listeners: listeners, routes: configuration.routeTable,
            routeSettings: configuration.routes.map(route),
            groups: configuration.groups.indices.map(group), keyring: keyring)
        settings.workers = configuration.workers
        settings.timeouts = timeouts
        settings.limits = limits
        settings.accessLog = accessLog
        return settings
    }

    private var timeouts: ProxyTimeouts {
        var timeouts = ProxyTimeouts()
        timeouts.header = configuration.timeouts.header
        timeouts.bodyIdle = configuration.timeouts.bodyIdle
        timeouts.keepalive = configuration.timeouts.keepalive
        timeouts.connect = configuration.timeouts.connect
        timeouts.response = configuration.timeouts.response
        timeouts.idle = configuration.timeouts.idle
        timeouts.tunnel = configuration.timeouts.tunnel
        return timeouts
    }

    private var limits: ProxyLimits {
        var limits = ProxyLimits()
        limits.requestHead = configuration.limits.requestHead
        limits.requestBody = UInt64(clamping: configuration.limits.requestBody)
        limits.requestBuffer = configuration.limits.requestBuffer
        limits.responseBuffer = configuration.limits.responseBuffer
        limits.minRate = configuration.limits.minRate
        limits.connections = configuration.limits.connections
        return limits
    }

    private var accessLog: AccessLogSettings {
        var log = AccessLogSettings()
        switch configuration.log.access {
        case .standardError: log.destination = .standardError
        case .off: log.destination = .off
        case .file(let path): log.destination = .file(path: path)
        }
        switch configuration.log.format {
        case .text: log.format = .text
        case .json: log.format = .json
        }
        return log
    }

    private func group(_ index: Int) -> ProxyGroupSettings {
        let group = configuration.groups[index]
        var settings = ProxyGroupSettings(name: group.name)
        settings.secureServers = files.servers[index]
        settings.socketUser = launches[index]?.userOfSocket
        settings.retries = group.retries
        settings.requestTimeout = group.requestTimeout
        settings.keepalive = group.keepalive
        settings.isSpawned = group.policy.kind == .spawned
        return settings
    }

    private func route(_ route: Configuration.RouteSettings) -> RouteSettings {
        let isStripped = route.stripPrefix && route.pattern.prefix != "/"
        var affinity = Self.affinity(route.affinity)
        affinity.cookie.path = configuration.cookiePath(ofGroup: route.group)
        return RouteSettings(group: route.group, stripsPrefix: isStripped, affinity: affinity)
    }

    private static func affinity(_ affinity: Configuration.Affinity) -> AffinitySettings {
        var settings = AffinitySettings(cookie: affinity.cookie)
        switch affinity.pin {
        case .always: settings.pin = .always
        case .app: settings.pin = .app
        case .never: settings.pin = .never
        }
        settings.learn = affinity.learn
        settings.maxAgeSeconds = affinity.maxAgeSeconds
        settings.forwardCookie = affinity.forwardCookie
        return settings
    }
}
