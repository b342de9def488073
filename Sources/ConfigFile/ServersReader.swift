internal import Backends

/// Reads `servers`: addresses that Mooring balances to but does not start.
struct ServersReader {
    /// One server, and the position of its `ca` key.
    struct Entry {
        var server: ServerEndpoint
        var authorityLocation: FileLocation?
    }

    /// An item of the list written as a table.
    struct Item {
        var address: Located<String>?
        var weight = 1
        var authority: Located<String>?
        var verifies = true
        var serverName: Located<String>?
        /// What Mooring calls the server.
        var name: Located<String>?
        var threads: Int?
    }

    /// An address, and whether it uses TLS.
    private struct Place {
        var address: ProcessAddress
        var isSecure: Bool

        /// The TLS settings without further keys; nil: clear text.
        var tls: ServerTLS? {
            guard isSecure else { return nil }
            let name = if case .tcp(let host, _) = address { host } else { "localhost" }
            return ServerTLS(name: name)
        }
    }

    let table: TableReader
    let folders: Folders
    private static let most = 1000
    private static let scheme = "https://"
    private static let secureKeys = ["ca", "verify", "server_name"]

    func read() -> [Entry] {
        guard let node = table.take("servers") else { return [] }
        guard case .list(let items) = node.value, (1...Self.most).contains(items.count) else {
            let kind =
                if case .list(let items) = node.value {
                    "a list of \(items.count)"
                } else {
                    node.kind
                }
            table.problems.add(
                node, "is \(kind)",
                "needs 1 to \(Self.most) addresses, like [\"10.0.0.7:8000\", \"unix:/run/app.sock\"]"
            )
            return []
        }
        var entries: [Entry] = []
        for item in items {
            guard let entry = server(item) else { continue }
            if entries.contains(where: { $0.server.address == entry.server.address }) {
                table.problems.add(
                    item, "holds \(entry.server.address.text) twice",
                    "give it once, with a weight if it is to have more sessions")
            } else if entries.contains(where: { $0.server.label == entry.server.label }) {
                table.problems.add(
                    item, "has the name \(entry.server.label) twice", "give each its own name")
            }
            entries.append(entry)
        }
        return entries
    }

    private func server(_ item: ConfigNode) -> Entry? {
        guard case .table = item.value else {
            return located(table.text(item, example: "10.0.0.7:8000")).map { place in
                Entry(server: ServerEndpoint(address: place.address, tls: place.tls))
            }
        }
        guard let entry = TableReader(item, table.problems) else { return nil }
        var given = Item()
        entry.read(Item.keys, into: &given, folders)
        if !entry.names.contains("address") {
            entry.reportMissing(
                ["address"], "has an item without address",
                "needs { address = \"10.0.0.7:8000\" }")
        }
        entry.finish()
        guard let place = located(given.address) else { return nil }
        var tls = place.tls
        tls?.authority = folders.path(given.authority, table.problems)
        tls?.verifies = given.verifies
        if let name = given.serverName {
            if !HostName.isValid(name.value), NumericHost.parseIPv6(name.value[...]) == nil {
                table.problems.add(
                    name.node, "is \(name.node.kind), which is no host name",
                    "needs the name in the server's certificate, like \"app.example.org\"")
            }
            tls?.name = name.value
        }
        if !place.isSecure {
            for key in Self.secureKeys where entry.names.contains(key) {
                entry.report(
                    at: key, "means nothing without TLS", "write the address as https://HOST:PORT")
            }
        }
        if let name = given.name { check(name) }
        var server = ServerEndpoint(address: place.address, weight: given.weight, tls: tls)
        server.name = given.name?.value
        server.threads = given.threads
        return Entry(
            server: server,
            authorityLocation: given.authority.map { table.problems.location(of: $0.node) })
    }

    private func check(_ name: Located<String>) {
        guard (1...32).contains(name.value.utf8.count),
            name.value.utf8.allSatisfy(TOMLText.isBareKeyByte)
        else {
            return table.problems.add(
                name.node, "is \(name.node.kind), which is no name",
                "needs 1 to 32 letters, digits, \"-\" and \"_\"")
        }
    }

    private func located(_ given: Located<String>?) -> Place? {
        guard let given else { return nil }
        let isSecure = given.value.hasPrefix(Self.scheme)
        var plain = given
        if isSecure {
            plain.value = String(given.value.dropFirst(Self.scheme.count))
            if plain.value.hasSuffix("/") { plain.value.removeLast() }
            if !plain.value.hasPrefix("unix:") {
                guard !plain.value.contains("/") else {
                    table.problems.add(
                        given.node, "holds \(TOMLText.excerpt(given.value)), which has a path",
                        "needs host and port only, like https://10.0.0.7:443")
                    return nil
                }
                plain.value += Self.hasPort(plain.value) ? "" : ":443"
            }
        } else if given.value.hasPrefix("http://") {
            table.problems.add(
                given.node, "is \(given.node.kind)", "leave http:// out, as in 10.0.0.7:8000")
            return nil
        }
        return table.address(plain, keepsNames: true).map {
            Place(address: $0, isSecure: isSecure)
        }
    }

    /// Whether a port follows the host; the colons of an IPv6 address are in brackets.
    private static func hasPort(_ place: String) -> Bool {
        place.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
    }

    /// One item of the list, with all its keys.
    static func text(of server: ServerEndpoint) -> String {
        let address = (server.tls == nil ? "" : scheme) + server.address.text
        var text = "{ address = \(TOMLText.quoted(address)), weight = \(server.weight)"
        if let name = server.name { text += ", name = \(TOMLText.quoted(name))" }
        if let threads = server.threads { text += ", threads = \(threads)" }
        if let tls = server.tls {
            text += ", server_name = \(TOMLText.quoted(tls.name)), verify = \(tls.verifies)"
            text += ", ca = \(TOMLText.quoted(tls.authority ?? ""))"
        }
        return text + " }"
    }
}
