/// Where relative paths start and where Mooring keeps its own files.
struct Folders {
    /// Where a configuration comes from.
    struct Context {
        /// The configuration file's folder, absolute.
        var folder: String
        var environment: [String: String]
        var isRoot: Bool

        /// A path as it is meant: absolute, or relative to the folder.
        func resolve(_ path: String) -> String {
            let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
            // `..` stays: behind a link it leads elsewhere than the text says.
            let steps = whole.split(separator: "/").filter { $0 != "." }
            return "/" + steps.joined(separator: "/")
        }

        /// An absolute path out of the environment; systemd's may be lists, of which the first
        /// counts.
        func folder(_ variable: String) -> String? {
            guard let first = environment[variable]?.split(separator: ":").first,
                first.hasPrefix("/")
            else { return nil }
            return resolve(String(first))
        }
    }

    var context: Context
    var state: String
    var runtime: String

    /// The longest runtime folder whose sockets still have a path that the system takes.
    static let longestRuntime = 90

    /// Reads `state_dir` and `runtime_dir`, or finds their defaults.
    init(_ root: TableReader, _ context: Context) {
        self.context = context
        state = "/"
        runtime = "/"
        let state = path(root.text("state_dir", example: "/var/lib/mooring"), root.problems)
        if let state = state ?? Self.defaultState(context) {
            self.state = state
        } else {
            root.report(
                at: "state_dir", "cannot be told, since HOME is not set",
                "write state_dir = \"/path\"")
        }
        let given = root.text("runtime_dir", example: "/run/mooring")
        runtime = path(given, root.problems) ?? Self.defaultRuntime(context)
        if runtime.utf8.count > Self.longestRuntime {
            root.problems.add(
                line: given?.node.line ?? root.node.line, key: "runtime_dir",
                "has \(runtime.utf8.count) bytes",
                "at most \(Self.longestRuntime), so that socket paths in it are not too long")
        }
    }

    /// Makes a path absolute, with `{state_dir}` and `{runtime_dir}` filled in.
    func path(_ located: Located<String>?, _ problems: ProblemList) -> String? {
        guard let located else { return nil }
        var text = located.value
        if text.hasPrefix("~") {
            problems.add(located.node, "begins with ~", "write the whole path")
            return nil
        }
        for (word, value) in [("{state_dir}", state), ("{runtime_dir}", runtime)] {
            text = text.replacing(word, with: value)
        }
        return context.resolve(text)
    }

    private static func defaultState(_ context: Context) -> String? {
        if let folder = context.folder("STATE_DIRECTORY") { return folder }
        if context.isRoot { return "/var/lib/mooring" }
        if let folder = context.folder("XDG_STATE_HOME") { return "\(folder)/mooring" }
        return context.folder("HOME").map { "\($0)/.local/state/mooring" }
    }

    /// The temporary folder is open to all: the folder's owner is checked before it is used.
    private static func defaultRuntime(_ context: Context) -> String {
        if let folder = context.folder("RUNTIME_DIRECTORY") { return folder }
        if context.isRoot { return "/run/mooring" }
        if let folder = context.folder("XDG_RUNTIME_DIR") { return "\(folder)/mooring" }
        let environment = context.environment
        let user = (environment["USER"] ?? environment["LOGNAME"] ?? "").utf8
            .filter(TOMLText.isBareKeyByte)
        let name = user.isEmpty ? "mooring" : "mooring-\(String(decoding: user, as: UTF8.self))"
        return "\(context.folder("TMPDIR") ?? "/tmp")/\(name)"
    }
}
