internal import Settings

/// Keys that do not apply to `servers`, which Mooring does not start.
extension KeyRow {
    private static var suffix: String { " Not with `servers`." }

    /// A row for a key of an optional part, which exists only in groups that start processes.
    func ofProcesses<Root>(
        _ part: PropertyPath<Root, Owner?>
    ) -> KeyRow<Root> {
        var row = KeyRow<Root>(
            name, type: type, standard: standard, needsRestart: needsRestart, help + Self.suffix)
        row.launch = launch.map { launch in
            LaunchPart<Root>(launch.position) { root, environment, hash in
                if let owner = root[keyPath: part] { launch.add(owner, environment, &hash) }
            }
        }
        row.read = { [name, read] root, table, folders in
            guard var owner = root[keyPath: part] else { return table.refuseForServers(name) }
            read?(&owner, table, folders)
            root[keyPath: part] = owner
        }
        row.text = { [text] root in root[keyPath: part].flatMap(text) }
        return row
    }
}

extension KeyRow<Configuration.Group> {
    /// The row restricted to groups that start processes.
    func ofProcesses() -> KeyRow {
        var row = self
        row.help += Self.suffix
        row.read = { [name, read] group, table, folders in
            if group.launch == nil { return table.refuseForServers(name) }
            read?(&group, table, folders)
        }
        row.text = { [text] group in group.launch == nil ? nil : text(group) }
        return row
    }
}

extension KeyRow<Configuration.Group> {
    /// The row restricted to groups of servers.
    func ofServers() -> KeyRow {
        var row = self
        row.read = { [name, read] group, table, folders in
            if group.launch != nil {
                return table.refuse(
                    name, "means something for servers only", "take it out, or give servers")
            }
            read?(&group, table, folders)
        }
        row.text = { [text] group in group.launch == nil ? text(group) : nil }
        return row
    }
}

extension TableReader {
    fileprivate func refuseForServers(_ key: String) {
        refuse(
            key, "means nothing for servers, which Mooring does not start",
            "take it out, or say what to run by wsgi, asgi or command")
    }
}
