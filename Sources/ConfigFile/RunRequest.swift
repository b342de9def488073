/// The arguments of `mooring run`: one application without a configuration file.
package struct RunRequest: Equatable, Sendable {
    /// What is served.
    package enum Application: Equatable, Sendable {
        /// A Python file, or `package.module:name`.
        case python(String)
        /// Program and arguments.
        case command([String])
    }

    package var application: Application
    /// How the Python application is called.
    package var interface = Configuration.Interface.wsgi
    /// Addresses; empty: the default.
    package var listen: [String] = []
    /// `N` or `MIN..MAX`.
    package var processes: String?
    package var threads: Int?
    /// The interpreter of a Python application.
    package var python: String?
    /// `NAME=VALUE`, or `NAME` for a variable of Mooring's own environment.
    package var environment: [String] = []
    /// The project's folders; nil: the defaults, as for a file.
    package var stateDirectory: String?
    package var runtimeDirectory: String?
    /// The name of the cookie; nil: the default.
    package var cookie: String?
    /// Whether a restart moves every session to the new process at once.
    package var replacesAtOnce = false

    package init(_ application: Application) { self.application = application }
}

extension ConfigurationReader {
    /// The name of the one group of `mooring run`.
    package static let runGroup = "app"

    /// The configuration that a command line stands for, or all its problems.
    package static func read(
        _ request: RunRequest, folder: String, environment: [String: String], isRoot: Bool
    ) -> Result<Configuration, ConfigurationProblems> {
        examine(request, folder: folder, environment: environment, isRoot: isRoot).result
    }

    /// The configuration that a command line stands for, examined like a file.
    ///
    /// Problems name the options instead of keys.
    ///
    /// - Parameters:
    ///   - folder: the current directory, absolute.
    package static func examine(
        _ request: RunRequest, folder: String, environment: [String: String], isRoot: Bool
    ) -> Reading {
        let problems = ProblemList(file: nil)
        let context = Folders.Context(
            folder: folder, environment: environment, isRoot: isRoot)
        let node = RequestNodes(problems: problems, isRoot: isRoot).root(request)
        guard let root = TableReader(node, problems) else {
            return Reading(problems: problems.sorted.problems)
        }
        var reading = build(root, context)
        reading.configuration?.showsOutput = true
        reading.problems = reading.problems.map(named)
        return reading
    }

    /// The problem under the name of the option that set the key.
    package static func named(_ problem: Problem) -> Problem {
        var named = problem
        switch problem.key {
        case "listen.address": named.key = "--listen"
        case "group.app.processes", "group.app.processes.min", "group.app.processes.max":
            named.key = "--processes"
            named.message = problem.message.replacing(
                "{ min = 0, max = 8 }", with: "MIN..MAX, like 0..8")
        case "group.app.threads": named.key = "--threads"
        case "group.app.wsgi", "group.app.asgi": named.key = "APP"
        case "group.app.command": named.key = "COMMAND"
        case "group.app.python": named.key = "--python"
        case "group.app.pass_env": named.key = "--env"
        case "group.app.cwd": named.key = "the current folder"
        case _ where problem.key.hasPrefix("group.app.env"): named.key = "--env"
        default: break
        }
        return named
    }
}

/// A command line as the nodes of a file with the same meaning.
private struct RequestNodes {
    let problems: ProblemList
    /// A command line runs its application as the user who types it, so root needs no `allow_root`.
    let isRoot: Bool

    func root(_ request: RunRequest) -> ConfigNode {
        let place = ["group", ConfigurationReader.runGroup]
        var group: [ConfigNode.Entry] = []
        switch request.application {
        case .python(let application):
            group.append(entry(request.interface.rawValue, .text(application), place))
        case .command(let words):
            let path = place + ["command"]
            group.append(entry("command", .list(words.map { node(.text($0), path) }), place))
        }
        if isRoot { group.append(entry("allow_root", .boolean(true), place)) }
        if let threads = request.threads {
            group.append(entry("threads", .integer(threads), place))
        }
        if let processes = request.processes {
            group.append(entry("processes", self.processes(processes, place), place))
        }
        if let python = request.python { group.append(entry("python", .text(python), place)) }
        group += environment(request.environment, place)
        if request.replacesAtOnce { group.append(entry("drain_timeout", .text("0"), place)) }
        var top = [entry("group", .table([entry(place[1], .table(group), ["group"])]), [])]
        if !request.listen.isEmpty {
            let listeners = request.listen.map { address in
                node(.table([entry("address", .text(address), ["listen"])]), ["listen"])
            }
            top.append(entry("listen", .list(listeners), []))
        }
        if let folder = request.stateDirectory {
            top.append(entry("state_dir", .text(folder), []))
        }
        if let folder = request.runtimeDirectory {
            top.append(entry("runtime_dir", .text(folder), []))
        }
        if let cookie = request.cookie {
            let place = ["affinity"]
            top.append(entry("affinity", .table([entry("cookie", .text(cookie), place)]), []))
        }
        return node(.table(top), [])
    }

    /// `env` and `pass_env`; the last value of a name counts.
    private func environment(_ given: [String], _ place: [String]) -> [ConfigNode.Entry] {
        var values: [ConfigNode.Entry] = []
        var names: [ConfigNode] = []
        for text in given {
            guard let equals = text.firstIndex(of: "=") else {
                names.append(node(.text(text), place + ["pass_env"]))
                continue
            }
            let name = String(text[..<equals])
            values.removeAll { $0.name == name }
            values.append(
                entry(name, .text(String(text[text.index(after: equals)...])), place + ["env"]))
        }
        var entries: [ConfigNode.Entry] = []
        if !values.isEmpty { entries.append(entry("env", .table(values), place)) }
        if !names.isEmpty { entries.append(entry("pass_env", .list(names), place)) }
        return entries
    }

    /// `3` as a number, `0..4` as a table; anything else stays a text, which is rejected later.
    private func processes(_ text: String, _ place: [String]) -> ConfigNode.Value {
        if let count = Int(text) { return .integer(count) }
        guard let dots = text.firstRange(of: ".."), let least = Int(text[..<dots.lowerBound]),
            let most = Int(text[dots.upperBound...])
        else { return .text(text) }
        let path = place + ["processes"]
        return .table([entry("min", .integer(least), path), entry("max", .integer(most), path)])
    }

    private func entry(
        _ name: String, _ value: ConfigNode.Value, _ place: [String]
    ) -> ConfigNode.Entry {
        ConfigNode.Entry(name: name, node: node(value, place + [name]))
    }

    private func node(_ value: ConfigNode.Value, _ path: [String]) -> ConfigNode {
        ConfigNode(value: value, line: 1, path: path)
    }
}
