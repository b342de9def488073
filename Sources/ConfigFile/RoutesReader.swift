internal import Backends
internal import Routing
internal import Settings

/// Reads `[routes]`.
struct RoutesReader {
    let groups: [Configuration.Group]
    /// Includes invalid groups: a route to one of them is not a second problem.
    let groupNames: [String]
    let problems: ProblemList
    let folders: Folders

    func read(_ root: TableReader) -> [Configuration.RouteSettings] {
        guard let node = root.take("routes") else { return withoutRoutes(root) }
        guard let table = TableReader(node, problems) else { return [] }
        if table.names.isEmpty {
            table.report("is empty", "needs at least \"/\" = \"GROUP\"")
        }
        var routes: [Configuration.RouteSettings] = []
        for name in table.names {
            guard let entry = table.take(name), let pattern = pattern(name, entry),
                let route = route(pattern, entry)
            else { continue }
            if routes.contains(where: { $0.pattern == pattern }) {
                problems.add(
                    entry, "is there twice, only written differently", "keep one of the two")
            }
            routes.append(route)
        }
        return routes
    }

    /// A single group needs no routes.
    private func withoutRoutes(_ root: TableReader) -> [Configuration.RouteSettings] {
        guard groupNames.count == 1 else {
            if groupNames.count > 1 {
                root.reportMissing(
                    ["routes"], at: "routes",
                    "is missing, and there are \(groupNames.count) groups",
                    "say which paths lead where: [routes] \"/\" = \"\(groupNames[0])\"")
            }
            return []
        }
        return groups.map { group in
            Configuration.RouteSettings(
                pattern: RoutePattern(host: "", prefix: "/"), group: 0, affinity: group.affinity,
                timeouts: group.timeouts, errors: group.errors)
        }
    }

    private func pattern(_ name: String, _ node: ConfigNode) -> RoutePattern? {
        do throws(RoutePatternError) {
            return try RouteTable.parse(name)
        } catch {
            problems.add(node, error.reason, error.advice)
            return nil
        }
    }

    private func route(
        _ pattern: RoutePattern, _ node: ConfigNode
    ) -> Configuration.RouteSettings? {
        if case .text(let name) = node.value {
            return group(name, node).map { group in
                Configuration.RouteSettings(
                    pattern: pattern, group: group, affinity: groups[group].affinity,
                    timeouts: groups[group].timeouts, errors: groups[group].errors)
            }
        }
        guard case .table = node.value, let table = TableReader(node, problems) else {
            problems.add(
                node, "is \(node.kind)", "needs a group's name, or { group = \"NAME\" }")
            return nil
        }
        if table.peek("files") != nil { return files(pattern, table) }
        let name = table.text("group", example: "django")
        if !table.names.contains("group") {
            table.reportMissing(
                ["group", "files"], "has no group",
                "needs { group = \"NAME\" } or { files = \"FOLDER\" }")
        }
        _ = table.take("files")
        table.refuse("compress", "is for files", "take it out")
        let index = name.flatMap { group($0.value, $0.node) }
        let base = index.map { groups[$0] }
        var route = Configuration.RouteSettings(
            pattern: pattern, group: index ?? 0, affinity: base?.affinity ?? .init(),
            timeouts: base?.timeouts ?? .init(), errors: base?.errors ?? [])
        table.read(Configuration.RouteSettings.keysOfGroups, into: &route, folders)
        table.finish()
        return index == nil ? nil : route
    }

    /// A route to files, which needs no group and no session.
    private func files(
        _ pattern: RoutePattern, _ table: TableReader
    ) -> Configuration.RouteSettings? {
        let given = table.text("files", example: "static")
        table.refuse("group", "cannot stand beside files", "keep one of the two")
        table.refuse(
            "strip_prefix", "cannot stand beside files, whose names never have the route's path",
            "take it out")
        table.refuse(
            "affinity", "cannot stand beside files, which need no session", "take it out")
        table.refuse(
            "timeouts", "cannot stand beside files, for which no process is waited",
            "take it out: how slow a client may be is said by [timeouts] body_idle")
        var route = Configuration.RouteSettings(
            pattern: pattern, group: nil, affinity: .init(), timeouts: .init())
        table.read(Configuration.RouteSettings.keysOfFiles, into: &route, folders)
        table.finish()
        guard let given, let path = folders.path(given, problems) else { return nil }
        route.files = .init(path: path, place: problems.location(of: given.node))
        return route
    }

    private func group(_ name: String, _ node: ConfigNode) -> Int? {
        if let index = groups.firstIndex(where: { $0.name == name }) { return index }
        // A file without any group has its own problem, already recorded.
        guard !groupNames.isEmpty, !groupNames.contains(name) else { return nil }
        let meant = Suggestion.nearest(to: name, among: groupNames)
        problems.add(
            node, "leads to the group \(TOMLText.excerpt(name)), which is not there",
            meant.map { "did you mean \(TOMLText.quoted($0))?" }
                ?? "there are: \(groupNames.prefix(20).joined(separator: ", "))")
        return nil
    }
}
