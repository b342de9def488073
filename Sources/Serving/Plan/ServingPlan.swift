internal import Backends
internal import ConfigFile
internal import HTTPWire
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Supervision

/// A configuration in the terms of the parts that carry it out.
struct ServingPlan: Sendable {
    let configuration: Configuration
    /// In the order of the groups, as everything here.
    let policies: [GroupPolicy]
    /// Nil: external servers.
    private(set) var launches: [LaunchSpec?]
    let files: SecurityFiles
    private let pages: PageFiles
    /// Nil until the program's own limits are known.
    var descriptors: DescriptorPlan?
    /// In the order of the configuration's listeners.
    private let listeners: [ListenerSettings]

    /// - Parameters:
    ///   - environment: Mooring's own, of which the processes get what is named.
    ///   - tickets: keys of TLS tickets, the same ones for the whole run.
    /// - Throws: `ServingError` with all that is not what it has to be of files, users and networks.
    init(
        _ configuration: Configuration, environment: [String: String], tickets: TLSTicketKeys
    ) throws {
        self.configuration = configuration
        policies = configuration.groups.map(\.policy)
        let hostFile = Supervisor.hostFile(inRuntimeDirectory: configuration.runtimeDirectory)
        var problems: [Problem] = []
        launches = configuration.groups.map { group in
            group.launch.flatMap { launch in
                do throws(Problem) {
                    return try Self.spec(
                        launch, of: group, hostFile: hostFile, environment: environment)
                } catch {
                    problems.append(error)
                    return nil
                }
            }
        }
        pages = PageFiles(configuration, problems: &problems)
        if case .file(let path) = configuration.log.access.destination,
            let fault = Preflight.faultOfAppendable(path)
        {
            problems.append(configuration.locations.problem(["log", "access"], fault))
        }
        do {
            files = try SecurityFiles(configuration, tickets: tickets)
        } catch {
            throw ServingError.invalid("\(ConfigurationProblems(problems + error.problems))")
        }
        if !problems.isEmpty { throw ServingError.invalid("\(ConfigurationProblems(problems))") }
        listeners = try zip(configuration.listeners, files.listeners).map { listener, tls in
            try listener.settings(tls: tls)
        }
    }

    /// The processes of `wsgi` groups say which server they have chosen.
    mutating func announceServers() {
        for index in launches.indices {
            launches[index]?.environment["MOORING_TELL_SERVER"] = "1"
        }
    }

    var logLevel: Logger.Level { Logger.Level(configuration.log.level) }

    /// By what the processes of a group are started.
    ///
    /// - Throws: the `Problem` with its users.
    static func spec(
        _ launch: Configuration.Launch, of group: Configuration.Group, hostFile: String,
        environment: [String: String]
    ) throws(Problem) -> LaunchSpec {
        let isolation = try launch.isolation.resolved(group: group.name)
        let base = LaunchEnvironment.base(
            from: environment, passing: launch.passEnvironment, account: isolation.account)
        var spec = self.program(launch, of: group, hostFile: hostFile, environment: base)
        spec.filledVariables = Set(launch.environment.keys)
        spec.isolation = isolation
        spec.health = group.health
        spec.maxMemory = launch.maxMemory > 0 ? Int64(launch.maxMemory) : nil
        spec.outputFile = launch.outputFile
        spec.onExit = launch.onExit
        spec.fingerprint = group.launchFingerprint(environment: spec.environment) ?? ""
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
    /// The settings of a start: every group is new.
    func proxySettings(keyring: Keyring) -> ProxySettings {
        proxySettings(
            keyring: keyring, indices: Array(configuration.groups.indices),
            names: configuration.groups.map(\.name), over: nil)
    }

    /// - Parameters:
    ///   - indices: those of the configuration's groups in the running program.
    ///   - names: of all running groups, by index. One that a failed reload has left behind has a
    ///     name and nothing else.
    ///   - old: what runs already: its listeners and groups keep their positions.
    func proxySettings(
        keyring: Keyring, indices: [Int], names: [String], over old: ProxySettings?
    ) -> ProxySettings {
        var groups = old?.groups ?? []
        groups += names.dropFirst(groups.count).map { ProxyGroupSettings(name: $0) }
        for (configured, index) in indices.enumerated() { groups[index] = group(configured) }
        var settings = ProxySettings(
            listeners: listeners(over: old?.listeners ?? []), routes: configuration.routeTable,
            routeSettings: configuration.routes.indices.map { route($0, indices) },
            groups: groups, keyring: keyring)
        settings.workers = configuration.workers
        settings.timeouts = configuration.timeouts
        settings.limits = configuration.limits
        if let descriptors {
            settings.limits.connections = descriptors.connections
            settings.upstreams = descriptors.upstreams
        }
        settings.bufferMemory =
            configuration.limits.bufferMemory
            ?? Limits.bufferMemory(ofMachineWith: MachineMemory.bytes())
        settings.accessLog = configuration.log.access
        settings.showsOutput = configuration.showsOutput
        return settings
    }

    /// Those that stay keep their places, nil stands for those that go, new ones follow.
    private func listeners(over old: [ListenerSettings?]) -> [ListenerSettings?] {
        var rest = listeners
        var placed = old.map { known -> ListenerSettings? in
            guard let known, let index = rest.firstIndex(where: { $0.address == known.address })
            else {
                return nil
            }
            return rest.remove(at: index)
        }
        placed += rest.map(Optional.some)
        return placed
    }

    /// Processes that may start at once, over all groups.
    var spawnConcurrency: Int {
        let given = configuration.spawnConcurrency
        return given > 0 ? given : max(1, Processors.count / 2)
    }

    private func group(_ index: Int) -> ProxyGroupSettings {
        let group = configuration.groups[index]
        var settings = ProxyGroupSettings(name: group.name)
        settings.secureServers = files.servers[index]
        settings.socketUser = launches[index]?.userOfSocket
        settings.portUser = launches[index]?.userOfPort
        settings.retries = group.retries
        settings.requestTimeout = group.requestTimeout
        if case .wsgi(_, let server, _) = group.launch?.application {
            settings.noticesClosing = false
            // `auto` is granian wherever it is installed.
            settings.takesASCIIOnly = server == .auto || server == .granian
        }
        settings.keepalive = group.keepalive
        settings.healthPath = group.health?.pathOfChecks ?? ""
        settings.isSpawned = group.policy.kind == .spawned
        return settings
    }

    private func route(_ index: Int, _ indices: [Int]) -> RouteSettings {
        let route = configuration.routes[index]
        let isStripped = route.stripPrefix && route.pattern.prefix != "/"
        var affinity = Self.affinity(route.affinity)
        affinity.cookie.path = configuration.cookiePath(ofGroup: route.group)
        var settings = RouteSettings(
            group: indices[route.group], strippedPrefix: isStripped ? route.pattern.prefix : "",
            affinity: affinity)
        settings.timeouts = route.timeouts
        settings.headers = ExtraFields(route.headers.map { ($0.name, $0.value) })
        settings.pages = pages.routes[index]
        return settings
    }

    private static func affinity(_ affinity: Configuration.Affinity) -> AffinitySettings {
        var settings = AffinitySettings(cookie: affinity.cookie)
        settings.pin = affinity.pin
        settings.learn = affinity.learn
        settings.maxAgeSeconds = affinity.maxAgeSeconds
        settings.forwardCookie = affinity.forwardCookie
        return settings
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
