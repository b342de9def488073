internal import Settings

extension FastCGIPolicy {
    /// The keys of `fastcgi`, in the order in which they are read: a script is looked for below the root.
    static let rows: [KeyRow<FastCGIPolicy>] = [
        KeyRow(
            "root", type: "path", standard: "none",
            """
            The folder of the scripts. A request's path is split at the first part of it that is a \
            script there; where there is none the answer is 404. Links that lead out of it are not \
            followed. Mooring has to be able to look into it. Without a root the process is sent the path alone, as `PATH_INFO`.
            """,
            read: { policy, table, folders in
                let given = table.optionalText("root", example: "/srv/www")
                policy.root = folders.path(given, table.problems) ?? ""
            }, text: { .text($0.root) }),
        KeyRow(
            "index", type: "file name",
            "The script of a folder. What ends like it, as `.php`, is a script.",
            read: { policy, table, _ in policy.index = index(table) ?? policy.index },
            text: { .text($0.index) }),
        KeyRow(
            "script", type: "path", standard: "none",
            """
            One script that all requests go to (a front controller), below the root. It is not \
            looked for, so that it may be on another machine.
            """,
            read: { policy, table, folders in
                guard let given = table.optionalText("script", example: "index.php") else { return }
                policy.script = file(given, below: policy.root, table, folders) ?? ""
            }, text: { .text($0.script) }),
        KeyRow(
            "env", type: "table of texts", standard: "`{}`",
            """
            Parameters that go with every request, over those that Mooring makes. `mooring check \
            --print` hides the values.
            """,
            read: { policy, table, _ in policy.parameters = EnvironmentReader.texts(table) },
            text: { policy in
                .inline(
                    policy.parameters.keys.sorted().map {
                        KeyEntry(name: $0, value: TOMLText.quoted("***"))
                    })
            }),
    ]

    init(_ table: TableReader, _ folders: Folders) {
        self.init()
        table.read(Self.rows, into: &self, folders)
        table.finish()
    }

    /// A name with an ending, which distinguishes scripts from other files.
    private static func index(_ table: TableReader) -> String? {
        guard let given = table.text("index", example: "index.php") else { return nil }
        let dot = given.value.lastIndex(of: ".")
        let isName =
            !given.value.contains("/") && dot != nil && dot != given.value.startIndex
            && !given.value.hasSuffix(".")
        if isName { return given.value }
        table.problems.add(
            given.node, "is \(given.node.kind)",
            "needs the name of a file with an ending, like \"index.php\": scripts are what ends so")
        return nil
    }

    private static func file(
        _ given: Located<String>, below root: String, _ table: TableReader, _ folders: Folders
    ) -> String? {
        guard !root.isEmpty, !given.value.hasPrefix(root + "/") else {
            return folders.path(given, table.problems)
        }
        let steps = given.value.split(separator: "/").filter { $0 != "." }
        return (root == "/" ? "" : root) + "/" + steps.joined(separator: "/")
    }
}
