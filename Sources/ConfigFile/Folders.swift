/// Where relative paths start and where Mooring stores its own files.
struct Folders {
    /// The origin of a configuration.
    struct Context {
        /// The configuration file's folder, absolute.
        var folder: String
        var environment: [String: String]
        var isRoot: Bool

        /// An absolute path, or one relative to the configuration's folder.
        func resolve(_ path: String) -> String {
            let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
            // Keep `..`: after a symbolic link it leads elsewhere than the text suggests.
            let steps = whole.split(separator: "/").filter { $0 != "." }
            return "/" + steps.joined(separator: "/")
        }

        /// An absolute path from the environment; systemd's variables may hold a list, of which the
        /// first counts.
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

    /// The longest runtime folder that leaves room for a socket's name within the system's limit.
    static let longestRuntime = 90

    /// Reads `state_dir` and `runtime_dir`, or determines their defaults.
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

    /// Anyone can create names in the temporary folder, so the folder's owner is checked before
    /// use.
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
