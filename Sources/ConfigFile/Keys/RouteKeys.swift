internal import Settings

extension Configuration.RouteSettings {
    /// The keys of a route that is written as a table.
    static let keys: [KeyRow<Configuration.RouteSettings>] = [
        KeyRow(
            "group", type: "name of a group", standard: "",
            """
            Where the requests go. `"/path" = "NAME"` is short for a route with only this key.
            """),
        KeyRow(
            "files", type: "path", standard: "none",
            """
            A folder whose files answer, instead of a group: the rest of the path, behind the \
            route's own, names a file below it. Links that lead out of it and names that begin with \
            a dot are not served; `index.html` answers for a folder. A reload opens it again.
            """,
            text: { route in route.files.map { .text($0.path) } }),
        KeyRow(
            .boolean(
                "compress", \.compress,
                """
                Of a route with `files`: whether `NAME.br`, `NAME.zst` or `NAME.gz` beside a file \
                of text is sent in its place to clients that accept the coding, unless it is older.
                """)),
        KeyRow(
            .boolean(
                "strip_prefix", \.stripPrefix,
                """
                Whether to remove the route's path from the request before the application sees \
                it: the application gets it as `SCRIPT_NAME` (WSGI), `root_path` \
                (ASGI) or `X-Forwarded-Prefix`.
                """)
        ),
        KeyRow(
            "affinity", type: "table", standard: "that of the group",
            "Overrides `[affinity]` for this route; `{ pin = \"never\" }` where no session is needed.",
            read: { route, table, folders in
                if let own = table.table("affinity") {
                    route.affinity = .init(own, over: route.affinity, at: .route, folders)
                }
            }, text: { .inline($0.affinity.entries(at: .route)) }),
        KeyRow(
            "timeouts", type: "`{ response, idle, tunnel }`", standard: "those of the group",
            "Overrides `[timeouts]` for this route.",
            read: { route, table, folders in
                if let own = table.table("timeouts") {
                    route.timeouts = RouteTimeouts(own, over: route.timeouts, folders)
                }
            }, text: { .inline(KeyRow.entries(RouteTimeouts.rows, of: $0.timeouts)) }),
        KeyRow(
            "headers", type: "table of texts",
            "Response fields, added to those of the listener or replacing them; `\"\"` removes a field.",
            read: { route, table, _ in route.headers = HeadersReader.read(table) },
            text: { .inline(HeadersReader.entries($0.headers)) }),
        KeyRow(
            "errors", type: "`{ STATUS = path }`", standard: "those of the group",
            "Error pages of this route, see `errors` of a group.",
            read: { route, table, folders in
                var reader = ErrorsReader(folders: folders)
                if route.group == nil { reader.statuses = ErrorsReader.statusesOfFiles }
                route.errors = reader.read(table, over: route.errors)
            }, text: { .inline(ErrorsReader.entries($0.errors)) }),
    ]

    /// The keys of a route to a group, besides the group.
    static var keysOfGroups: [KeyRow<Configuration.RouteSettings>] {
        keys.filter { !["files", "compress"].contains($0.name) }
    }

    /// The keys that mean something in a route to files.
    static var keysOfFiles: [KeyRow<Configuration.RouteSettings>] {
        keys.filter { ["files", "compress", "headers", "errors"].contains($0.name) }
    }
}
