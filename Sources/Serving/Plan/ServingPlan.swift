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

/// A configuration, translated for the parts that implement it.
struct ServingPlan: Sendable {
    let configuration: Configuration
    /// In the order of the groups, like everything here.
    let policies: [GroupPolicy]
    /// Nil: external servers.
    private(set) var launches: [LaunchSpec?]
    let files: SecurityFiles
    private let pages: PageFiles
    private let folders: FileFolders
    /// Nil until the program's own limits are known.
    var descriptors: DescriptorPlan?
    /// In the order of the configuration's listeners.
    private let listeners: [ListenerSettings]

    /// - Parameters:
    ///   - environment: Mooring's own, from which processes inherit the named variables.
    ///   - tickets: keys of TLS tickets, the same for the whole run.
    /// - Throws: `ServingError` with all problems of files, users and networks.
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
        folders = FileFolders(configuration, problems: &problems)
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

    /// Makes the processes of `wsgi` and `asgi` groups log which server they have chosen.
    mutating func announceServers() {
        for index in launches.indices {
            launches[index]?.environment["MOORING_TELL_SERVER"] = "1"
        }
    }

    var logLevel: Logger.Level { Logger.Level(configuration.log.level) }

    /// The launch settings of a group's processes.
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
        spec.speaksFastCGI = group.upstreamProtocol == .fastcgi
        spec.health = group.checkedHealth
        spec.maxMemory = launch.maxMemory > 0 ? Int64(launch.maxMemory) : nil
        spec.outputFile = launch.outputFile
        spec.onExit = launch.onExit
        spec.retirement = RetirementPolicy(group.policy)
        spec.fingerprint = group.launchFingerprint(environment: spec.environment) ?? ""
        return spec
    }

    /// - Parameter environment: the clean one, to which the group's own is added.
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
        case .hosted(let application):
            return .hosted(
                LaunchCheck.Application(application), python: application.python,
                hostFile: hostFile, stopTimeout: group.policy.stopTimeout,
                directory: launch.directory, environment: whole,
                threads: group.policy.threads, multiprocess: launch.processesGiven,
                groupName: group.name)
        }
    }
}

// MARK: Settings of the data plane

extension ServingPlan {
    /// The settings of a start: every group is new.
    ///
    /// - Parameter retired: the names of groups behind those of the configuration, which have left it.
    func proxySettings(keyring: Keyring, retired: [String] = []) -> ProxySettings {
        proxySettings(
            keyring: keyring, indices: Array(configuration.groups.indices),
            names: configuration.groups.map(\.name) + retired, over: nil)
    }

    /// - Parameters:
    ///   - indices: those of the configuration's groups in the running program.
    ///   - names: of all running groups, by index. One that a failed reload has left behind, or that is
    ///     retired from the start, has a name and nothing else.
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

    /// By the index of a running group how TLS is spoken to its servers.
    func secureServers(indices: [Int]) -> [Int: [ProcessAddress: SecureServer]] {
        var secure: [Int: [ProcessAddress: SecureServer]] = [:]
        for (configured, index) in indices.enumerated() where !files.servers[configured].isEmpty {
            secure[index] = files.servers[configured]
        }
        return secure
    }

    /// Remaining listeners keep their positions, removed ones become nil, new ones are appended.
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

    /// The number of concurrent starts over all groups.
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
        if case .hosted(let application) = group.launch?.application {
            switch application.interface {
            case .wsgi:
                settings.noticesClosing = false
                // `auto` selects granian if it is installed.
                settings.takesASCIIOnly = [.auto, .granian].contains(application.server)
            case .asgi: settings.takesASCIIOnly = true
            }
        }
        settings.keepalive = group.keepalive
        settings.hostHeader = group.hostHeader
        if group.upstreamProtocol == .fastcgi { settings.fastCGI = group.fastCGI }
        settings.healthPath = group.health?.pathOfChecks ?? ""
        settings.isSpawned = group.policy.kind == .spawned
        return settings
    }

    private func route(_ index: Int, _ indices: [Int]) -> RouteSettings {
        let route = configuration.routes[index]
        // A file is looked for by what follows the route's path.
        let isStripped =
            (route.stripPrefix || route.files != nil) && route.pattern.prefix != "/"
        var affinity = Self.affinity(route.affinity)
        if let group = route.group {
            affinity.cookie.path = configuration.cookiePath(ofGroup: group)
        }
        var settings = RouteSettings(
            group: route.group.map { indices[$0] } ?? -1,
            strippedPrefix: isStripped ? route.pattern.prefix : "", affinity: affinity)
        if let folder = folders.routes[index], let files = route.files {
            settings.files = FileRouteSettings(folder, path: files.path)
            settings.files?.compress = route.compress
        }
        settings.timeouts = route.timeouts
        settings.headers = ExtraFields(route.headers.map { ($0.name, $0.value) })
        settings.pages = pages.routes[index]
        return settings
    }

    private static func affinity(_ affinity: Configuration.Affinity) -> AffinitySettings {
        var settings = AffinitySettings(cookie: affinity.cookie)
        settings.carrier = affinity.carrier
        settings.userField = affinity.userField
        switch affinity.carrier {
        case .cookie:
            settings.pin = affinity.pin
            settings.learn = affinity.learn
        case .header, .query, .path:
            // The application begins a session, by its field or its id.
            settings.pin = affinity.pin == .never ? .never : .app
        }
        settings.maxAgeSeconds = affinity.maxAgeSeconds
        settings.forwardCookie = affinity.forwardCookie
        return settings
    }
}

extension LaunchCheck.Application {
    init(_ application: Configuration.HostedApplication) {
        self.init(
            name: application.name, interface: application.interface.rawValue,
            server: application.server.rawValue)
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
