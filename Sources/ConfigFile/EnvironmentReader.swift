/// Reads `env` and `pass_env`.
enum EnvironmentReader {
    /// The longest variable or argument that execve(2) accepts: MAX_ARG_STRLEN, 128 KiB including
    /// the terminating zero.
    static let longestString = 128 * 1024 - 1

    /// The variables of processes.
    static func values(_ table: TableReader) -> [String: String] {
        texts(table) { name, value, node in
            // Redundant but harmless: Mooring sets this PORT itself.
            let isOwnPort = name == "PORT" && value == "{port}"
            guard isOwnPort || check(name, node, table.problems) else { return false }
            let bytes = name.utf8.count + 1 + value.utf8.count
            if bytes > longestString {
                table.problems.add(
                    node, "has \(bytes) bytes with its name, more than the system hands over",
                    "needs \(longestString) at most; put it into a file")
            }
            return true
        }
    }

    /// The texts of a table `env`; others are recorded, and those that `isGood` refuses left out.
    static func texts(
        _ table: TableReader,
        where isGood: (String, String, ConfigNode) -> Bool = { _, _, _ in true }
    ) -> [String: String] {
        guard let env = table.table("env") else { return [:] }
        var values: [String: String] = [:]
        for name in env.names {
            guard let node = env.take(name) else { continue }
            guard case .text(let value) = node.value else {
                // The message does not show the value, which may be a secret.
                env.problems.add(node, "is not a text", "write it in quotes")
                continue
            }
            if isGood(name, value, node) { values[name] = value }
        }
        return values
    }

    static func names(_ table: TableReader) -> [String] {
        let given = table.texts("pass_env", example: "DATABASE_URL") ?? []
        return given.filter { check($0.value, $0.node, table.problems) }.map(\.value)
    }

    /// Whether a variable may be set for a process.
    private static func check(_ name: String, _ node: ConfigNode, _ problems: ProblemList) -> Bool {
        let isName =
            !name.isEmpty && name.utf8.count <= 256
            && name.utf8.allSatisfy { TOMLText.isBareKeyByte($0) && $0 != UInt8(ascii: "-") }
            && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(name.utf8.first ?? 0)
        guard isName else {
            problems.add(
                node, "names the variable \(TOMLText.excerpt(name))",
                "needs letters, digits and \"_\", no digit first")
            return false
        }
        guard !name.hasPrefix("MOORING_"), name != "PORT", name != "NOTIFY_SOCKET" else {
            let isPort = name == "PORT"
            problems.add(
                node, "names \(name), which Mooring sets itself",
                isPort ? "take it out, or write \"{port}\"" : "take it out")
            return false
        }
        return true
    }
}
