internal import Backends
internal import Settings

/// Reads one `[group.NAME]`.
struct GroupReader {
    /// What a group runs, or where it is.
    private enum Kind: String, CaseIterable {
        case wsgi
        case command
        case servers
    }

    /// Slots of a process when `threads` is not given: of WSGI, where each is a thread, as in mod_wsgi;
    /// elsewhere so many that a page's parts and some event streams do not wait for each other.
    static let wsgiThreads = 15
    static let otherThreads = 100

    /// Keys that mean something in a group alone, and are easily written above it.
    static let keysOfGroups: Set<String> = [
        "allow_root", "cwd", "drain_timeout", "env", "health", "idle_timeout", "max_age",
        "max_memory", "max_requests", "on_exit", "output", "pass_env", "placement", "process_queue",
        "processes", "python", "queue", "queue_timeout", "request_timeout", "retries", "rlimits",
        "server", "sessions_per_process", "start_timeout", "stop_timeout", "threads", "umask",
        "user",
    ]

    let table: TableReader
    let folders: Folders

    /// The group; nil when it cannot be told what it is.
    ///
    /// Problems are taken down either way.
    func read(
        over affinity: Configuration.Affinity, _ timeouts: RouteTimeouts
    ) -> Configuration.Group? {
        checkName()
        let kind = self.kind()
        var policy = GroupPolicy(name: table.name)
        readAdmission(&policy, kind)
        let processesGiven = readProcesses(&policy, kind)
        let launch = readLaunch(kind, processesGiven: processesGiven)
        let servers = ServersReader(table: table, folders: folders).read()
        if kind == .servers {
            policy.kind = .external(
                servers.map { entry in
                    var server = entry.server
                    server.isSecure = entry.secure != nil
                    return server
                })
            (policy.minimum, policy.maximum) = (servers.count, servers.count)
        }
        readPlacement(&policy)
        let retries = table.integer("retries", in: 0...10) ?? 1
        let keepalive = table.boolean("keepalive") ?? true
        let requestTimeout = table.duration("request_timeout", atLeast: .zero)
        let health = self.health()
        if kind == .servers { policy.health = health }
        let affinity =
            table.table("affinity").map { Configuration.Affinity($0, over: affinity, at: .group) }
            ?? affinity
        let timeouts =
            table.table("timeouts").map { RouteTimeouts($0, over: timeouts) }
            ?? timeouts
        policy.onLost = affinity.onLost
        policy.sessionIdle = affinity.idle
        policy.unconfirmed = affinity.unconfirmed
        let errors = ErrorsReader(folders: folders).read(table)
        table.finish()
        guard kind != nil, kind == .servers || launch != nil else { return nil }
        return Configuration.Group(
            policy: policy, launch: launch, retries: retries, keepalive: keepalive,
            requestTimeout: requestTimeout.flatMap { $0 > .zero ? $0 : nil }, health: health,
            secureServers: servers.compactMap(\.secure), affinity: affinity,
            timeouts: timeouts, errors: errors)
    }

    private func checkName() {
        let name = table.name
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy(TOMLText.isBareKeyByte)
        else {
            return table.report(
                "has a name that is not allowed",
                "needs 1 to 32 letters, digits, \"-\" and \"_\"")
        }
    }

    /// A path alone is what many write; they are told of the table.
    private func health() -> HealthPolicy? {
        guard let node = table.take("health") else { return nil }
        if case .text = node.value {
            table.problems.add(
                node, "is \(node.kind)", "needs a table, like { path = \"/healthz\" }")
            return nil
        }
        return TableReader(node, table.problems).flatMap(HealthPolicy.init)
    }

    /// Exactly one of the three keys.
    private func kind() -> Kind? {
        let given = Kind.allCases.filter { table.take($0.rawValue) != nil }
        if given.count == 1 { return given[0] }
        if let node = misplacedServers {
            let meant = (table.node.path + ["servers"]).map(TOMLText.key).joined(separator: ".")
            table.problems.add(
                line: node.line, key: node.key, meant: meant, "is a list", "did you mean servers?")
            return .servers
        }
        let all = "needs exactly one of wsgi, command and servers"
        if given.isEmpty {
            table.reportMissing(Kind.allCases.map(\.rawValue), "does not say what it runs", all)
        } else {
            let names = given.map(\.rawValue).joined(separator: " and ")
            table.report("has \(names)", all)
        }
        return nil
    }

    /// A list under `server`, in a group that says nothing else of what it is.
    private var misplacedServers: ConfigNode? {
        guard Kind.allCases.allSatisfy({ table.peek($0.rawValue) == nil }),
            let node = table.peek("server"), case .list = node.value
        else { return nil }
        return node
    }

    private func readAdmission(_ policy: inout GroupPolicy, _ kind: Kind?) {
        policy.threads =
            table.integer("threads", in: 1...100_000)
            ?? (kind == .wsgi ? Self.wsgiThreads : Self.otherThreads)
        policy.sessionsPerProcess = table.integer("sessions_per_process", in: 0...1_000_000) ?? 0
        policy.queueLimit = table.integer("queue", in: 0...1_000_000) ?? policy.queueLimit
        policy.processQueueLimit =
            table.integer("process_queue", in: 0...100_000) ?? policy.processQueueLimit
        policy.queueTimeout = table.duration("queue_timeout") ?? policy.queueTimeout
        policy.drainTimeout =
            table.duration("drain_timeout", atLeast: .zero) ?? policy.drainTimeout
        policy.tunnelSlots = table.boolean("tunnel_slots") ?? policy.tunnelSlots
    }

    /// `processes` and the times of spawned ones; whether `processes` was given.
    private func readProcesses(_ policy: inout GroupPolicy, _ kind: Kind?) -> Bool {
        if kind == .servers {
            refuseForServers([
                "processes", "idle_timeout", "start_timeout", "stop_timeout", "cwd", "env",
                "pass_env", "max_requests", "max_age", "max_memory", "draining_max", "user",
                "group",
                "groups", "allow_root", "umask", "rlimits", "on_exit", "output",
            ])
            return false
        }
        policy.idleTimeout = table.duration("idle_timeout") ?? policy.idleTimeout
        policy.startTimeout = table.duration("start_timeout") ?? policy.startTimeout
        policy.stopTimeout = table.duration("stop_timeout") ?? policy.stopTimeout
        policy.maxRequests = table.integer("max_requests", in: 0...1_000_000_000) ?? 0
        policy.drainingMaximum = table.integer("draining_max", in: 0...Self.mostProcesses) ?? 0
        policy.maxAge = table.duration("max_age", atLeast: .zero).flatMap { $0 > .zero ? $0 : nil }
        guard let node = table.take("processes") else { return false }
        if case .table = node.value {
            if let entry = TableReader(node, table.problems), let range = Self.range(entry) {
                (policy.minimum, policy.maximum) = (range.lowerBound, range.upperBound)
                policy.spare = Self.spare(entry, within: range) ?? 0
                entry.finish()
            }
        } else if let count = Self.count(node, table) {
            (policy.minimum, policy.maximum) = (count, count)
        }
        return true
    }

    /// The most processes that a group may have.
    private static let mostProcesses = 10_000

    private static func count(_ node: ConfigNode, _ table: TableReader) -> Int? {
        guard case .integer(let count) = node.value, (1...mostProcesses).contains(count) else {
            table.problems.add(
                node, "is \(node.kind)",
                "needs a number from 1 to \(mostProcesses), or { min = 0, max = 8 }")
            return nil
        }
        return count
    }

    private static func range(_ table: TableReader) -> ClosedRange<Int>? {
        let least = table.integer("min", in: 0...mostProcesses)
        let most = table.integer("max", in: 1...mostProcesses)
        let hasMost = table.names.contains("max")
        _ = table.take("spare")
        guard hasMost else {
            table.reportMissing(["max"], "has no max", "needs one, like { min = 0, max = 8 }")
            table.finish()
            return nil
        }
        guard let most else { return nil }
        guard (least ?? 0) <= most else {
            table.report("has a min above its max", "needs min <= max")
            return nil
        }
        return (least ?? 0)...most
    }

    /// Idle transient processes kept ready; no more than there can be.
    private static func spare(_ table: TableReader, within range: ClosedRange<Int>) -> Int? {
        guard let node = table.take("spare") else { return nil }
        return table.integer(node, in: 0...range.upperBound - range.lowerBound)
    }

    private func readPlacement(_ policy: inout GroupPolicy) {
        policy.placement =
            table.choice("placement", among: GroupPolicy.Placement.allCases) ?? policy.placement
    }

    private func refuseForServers(_ keys: [String]) {
        for key in keys {
            table.refuse(
                key, "means nothing for servers, which Mooring does not start",
                "take it out, or say what to run by wsgi or command")
        }
    }
}

/// What is run.
extension GroupReader {
    private func readLaunch(_ kind: Kind?, processesGiven: Bool) -> Configuration.Launch? {
        var application: Configuration.Application?
        switch kind {
        case .wsgi:
            application = wsgi()
        case .command:
            application = CommandReader.read(table).map { .command($0) }
            refuseForWSGI()
        case .servers:
            refuseForWSGI()
            return nil
        case nil:
            // Whichever was meant, what is wrong in the rest is told now.
            _ = (wsgi(), CommandReader.read(table))
        }
        let directory = self.directory()
        let environment = EnvironmentReader.values(table)
        refuseBothPlaces(application, environment)
        let names = EnvironmentReader.names(table)
        let isolation = IsolationReader(table: table, isRoot: folders.surroundings.isRoot).read()
        let onExit = table.choice("on_exit", among: OnExit.allCases) ?? .adopt
        let output = table.optionalText("output", example: "logs/app.log")
        let outputFile = folders.path(output, table.problems)
        let memory = table.size("max_memory", in: 0...1 << 50) ?? 0
        return application.map { application in
            Configuration.Launch(
                application: application, processesGiven: processesGiven, directory: directory,
                environment: environment, passEnvironment: names, isolation: isolation,
                onExit: onExit, outputFile: outputFile, maxMemory: memory)
        }
    }

    /// A command that names both is told of already.
    private func refuseBothPlaces(
        _ application: Configuration.Application?, _ environment: [String: String]
    ) {
        var words: [String] = []
        if case .command(let command) = application { words = command }
        let isSaid = ["{socket}", "{port}"].allSatisfy { name in
            words.contains { $0.contains(name) }
        }
        let texts = words + environment.values
        let hasBoth = ["{socket}", "{port}"].allSatisfy { name in
            texts.contains { $0.contains(name) }
        }
        if hasBoth, !isSaid {
            table.report(
                at: "env", "has {socket} and {port}, with the command's",
                "a process has one address; take one out")
        }
    }

    private func wsgi() -> Configuration.Application? {
        let application = table.text("wsgi", example: "mysite/wsgi.py")
        let server = table.choice("server", among: Configuration.Server.allCases) ?? .auto
        let python = table.text("python", example: "python3")?.value ?? "python3"
        return application.map { .wsgi($0.value, server: server, python: python) }
    }

    private func refuseForWSGI() {
        for key in ["server", "python"] {
            if key == "server", misplacedServers != nil {
                _ = table.take(key)
                continue
            }
            table.refuse(key, "means something with wsgi only", "take it out")
        }
    }

    private func directory() -> String {
        let given = table.optionalText("cwd", example: "/srv/app")
        return folders.path(given, table.problems) ?? folders.surroundings.resolve("")
    }
}
