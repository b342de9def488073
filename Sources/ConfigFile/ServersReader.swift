internal import Backends

/// Reads `servers`: addresses that Mooring only balances to.
enum ServersReader {
    private static let most = 1000

    static func read(_ table: TableReader) -> [GroupPolicy.ExternalServer] {
        guard let node = table.take("servers") else { return [] }
        guard case .list(let items) = node.value, (1...most).contains(items.count) else {
            let kind =
                if case .list(let items) = node.value {
                    "a list of \(items.count)"
                } else {
                    node.kind
                }
            table.problems.add(
                node, "is \(kind)",
                "needs 1 to \(most) addresses, like [\"10.0.0.7:8000\", \"unix:/run/app.sock\"]")
            return []
        }
        var servers: [GroupPolicy.ExternalServer] = []
        for item in items {
            guard let server = server(item, table) else { continue }
            if servers.contains(where: { $0.address == server.address }) {
                table.problems.add(
                    item, "holds \(AddressText.text(of: server.address)) twice",
                    "give it once, with a weight if it is to have more sessions")
            }
            servers.append(server)
        }
        return servers
    }

    private static func server(
        _ item: ConfigNode, _ table: TableReader
    ) -> GroupPolicy.ExternalServer? {
        guard case .table = item.value else {
            return address(table.text(item, example: "10.0.0.7:8000"), table).map {
                GroupPolicy.ExternalServer(address: $0)
            }
        }
        guard let entry = TableReader(item, table.problems) else { return nil }
        let given = entry.text("address", example: "10.0.0.7:8000")
        if !entry.names.contains("address") {
            entry.report("has an item without address", "needs { address = \"10.0.0.7:8000\" }")
        }
        let weight = entry.integer("weight", in: 1...256) ?? 1
        entry.finish()
        return address(given, table).map {
            GroupPolicy.ExternalServer(address: $0, weight: weight)
        }
    }

    private static func address(
        _ given: Located<String>?, _ table: TableReader
    ) -> ProcessAddress? {
        given.flatMap { table.address($0) }
    }
}
