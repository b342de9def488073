internal import Backends
internal import Settings

/// Reads one `[group.NAME]`.
struct GroupReader {
    /// The alternatives of which a group has exactly one.
    private enum Kind: String, CaseIterable {
        case wsgi
        case asgi
        case command
        case servers
    }

    /// Slots of a process when `threads` is not given.
    ///
    /// With WSGI each is a thread, hence mod_wsgi's 15; elsewhere enough that a page's subresources
    /// and some event streams do not wait for each other.
    static let wsgiThreads = 15
    static let otherThreads = 100
    /// A process of PHP's own FastCGI server has no threads.
    static let phpThreads = 1

    /// Keys that only a group has, and that users easily write above the group by mistake.
    static let keysOfGroups = Set(Configuration.Group.keys.map(\.name))
        .subtracting(Kind.allCases.map(\.rawValue) + ["affinity", "group", "groups", "timeouts"])

    let table: TableReader
    let folders: Folders

    /// The group; with an empty command if the file does not say what it runs.
    ///
    /// Problems are recorded in both cases.
    func read(
        over affinity: Configuration.Affinity, _ timeouts: RouteTimeouts
    ) -> Configuration.Group {
        checkName()
        let kind = self.kind()
        var group = Configuration.Group(
            policy: GroupPolicy(name: table.name), affinity: affinity, timeouts: timeouts)
        group.policy.threads = kind == .wsgi ? Self.wsgiThreads : Self.otherThreads
        if kind != .servers { group.launch = .init(directory: folders.context.resolve("")) }
        group.upstreamProtocol =
            table.choice("protocol", among: UpstreamProtocol.allCases) ?? .http
        readApplication(kind, &group)
        if group.upstreamProtocol == .fastcgi, group.runsPHPCGI {
            group.policy.threads = Self.phpThreads
        }
        table.read(Configuration.Group.keys, into: &group, folders)
        if let launch = group.launch {
            refuseBothPlaces(launch)
            IsolationReader.checkUser(
                launch.isolation, isRoot: folders.context.isRoot, table)
        } else {
            group.policy.health = group.checkedHealth
        }
        FastCGICheck(table: table).check(group)
        group.policy.onLost = group.affinity.onLost
        group.policy.sessionIdle = group.affinity.idle
        group.policy.unconfirmed = group.affinity.unconfirmed
        table.finish()
        return group
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

    /// Users often write just a path; the message suggests the table.
    static func health(
        _ table: TableReader, connects: Bool, _ folders: Folders
    ) -> HealthPolicy? {
        guard let node = table.take("health") else { return nil }
        if case .text = node.value {
            table.problems.add(
                node, "is \(node.kind)", "needs a table, like { path = \"/healthz\" }")
            return nil
        }
        return TableReader(node, table.problems).flatMap {
            HealthPolicy($0, connects: connects, folders)
        }
    }

    /// Reports an error unless exactly one of the three keys is given.
    private func kind() -> Kind? {
        let given = Kind.allCases.filter { table.take($0.rawValue) != nil }
        if given.count == 1 { return given[0] }
        if let node = misplacedServers {
            let meant = (table.node.path + ["servers"]).map(TOMLText.key).joined(separator: ".")
            table.problems.add(
                line: node.line, key: node.key, meant: meant, "is a list", "did you mean servers?")
            return .servers
        }
        let all = "needs exactly one of wsgi, asgi, command and servers"
        if given.isEmpty {
            table.reportMissing(Kind.allCases.map(\.rawValue), "does not say what it runs", all)
        } else {
            let names = given.map(\.rawValue).joined(separator: " and ")
            table.report("has \(names)", all)
        }
        return nil
    }

    /// A list under the key `server`, in a group that has none of the three keys.
    private var misplacedServers: ConfigNode? {
        guard Kind.allCases.allSatisfy({ table.peek($0.rawValue) == nil }),
            let node = table.peek("server"), case .list = node.value
        else { return nil }
        return node
    }

    /// Reads `processes` of a group that starts them.
    static func readProcesses(_ table: TableReader, _ group: inout Configuration.Group) {
        guard let node = table.take("processes") else { return }
        group.launch?.processesGiven = true
        if case .table = node.value {
            if let entry = TableReader(node, table.problems), let range = range(entry) {
                (group.policy.minimum, group.policy.maximum) = (range.lowerBound, range.upperBound)
                group.policy.spare = spare(entry, within: range) ?? 0
                entry.finish()
            }
        } else if let count = count(node, table) {
            (group.policy.minimum, group.policy.maximum) = (count, count)
        }
    }

    /// The upper bound of `processes`.
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

    /// The number of idle transient processes to keep ready; at most `max - min`.
    private static func spare(_ table: TableReader, within range: ClosedRange<Int>) -> Int? {
        guard let node = table.take("spare") else { return nil }
        return table.integer(node, in: 0...range.upperBound - range.lowerBound)
    }
}

/// Reading the application.
extension GroupReader {
    /// Reads the keys that say what the group is.
    private func readApplication(_ kind: Kind?, _ group: inout Configuration.Group) {
        var application: Configuration.Application?
        switch kind {
        case .wsgi: application = hosted(.wsgi)
        case .asgi: application = hosted(.asgi)
        case .command:
            application = CommandReader.read(table).map { .command($0) }
            refuseServerAndPython()
        case .servers: refuseServerAndPython()
        case nil:
            // Which of them was meant is unknown, so report the problems of all.
            _ = (hosted(.wsgi), hosted(.asgi), CommandReader.read(table))
        }
        let servers = ServersReader(table: table, folders: folders).read()
        if kind == .servers {
            group.policy.kind = .external(servers.map(\.server))
            (group.policy.minimum, group.policy.maximum) = (servers.count, servers.count)
            for entry in servers {
                group.authorityLocations[entry.server.address] = entry.authorityLocation
            }
        }
        if let application { group.launch?.application = application }
    }

    /// A process has one address; `CommandReader` has reported a command that names both.
    private func refuseBothPlaces(_ launch: Configuration.Launch) {
        var words: [String] = []
        if case .command(let command) = launch.application { words = command }
        let isSaid = ["{socket}", "{port}"].allSatisfy { name in
            words.contains { $0.contains(name) }
        }
        let texts = words + launch.environment.values
        let hasBoth = ["{socket}", "{port}"].allSatisfy { name in
            texts.contains { $0.contains(name) }
        }
        if hasBoth, !isSaid {
            table.report(
                at: "env", "has {socket} and {port}, with the command's",
                "a process has one address; take one out")
        }
    }

    private func hosted(_ interface: Configuration.Interface) -> Configuration.Application? {
        let name = table.text(interface.rawValue, example: "mysite/\(interface.rawValue).py")
        var application = Configuration.HostedApplication(interface, name?.value ?? "")
        let servers = Configuration.Server.all(of: interface)
        if let server = table.choice("server", among: servers) { application.server = server }
        if let python = table.text("python", example: "python3") {
            application.python = python.value
        }
        return name == nil ? nil : .hosted(application)
    }

    private func refuseServerAndPython() {
        for key in ["server", "python"] {
            if key == "server", misplacedServers != nil {
                _ = table.take(key)
                continue
            }
            table.refuse(key, "means something with wsgi and asgi only", "take it out")
        }
    }
}
