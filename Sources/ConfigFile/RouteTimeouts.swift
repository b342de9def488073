internal import Settings

extension RouteTimeouts {
    /// Reads a table; keys that it does not set keep the values of `base`.
    init(_ table: TableReader, over base: RouteTimeouts, _ folders: Folders) {
        self = base
        table.read(Self.rows, into: &self, folders)
        let own = Set(Self.rows.map(\.name))
        for row in Timeouts.rows where !own.contains(row.name) {
            table.refuse(row.name, "is one for all groups and routes", "put it under [timeouts]")
        }
        table.finish()
    }
}
