/// Reads `headers = { … }` of a listener or a route, and rejects names and values that could break
/// a response.
enum HeadersReader {
    private static let mostFields = 64
    private static let mostBytes = 8 * 1024

    /// Fields that frame a message, are hop-by-hop, describe the body's encoding, or belong to
    /// Mooring or the application.
    private static let reserved: Set<String> = [
        "connection", "content-encoding", "content-length", "content-range", "content-type", "date",
        "keep-alive", "location", "proxy-authenticate", "proxy-connection", "proxy-status",
        "retry-after", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
        "www-authenticate", "x-request-id",
    ]

    static func read(_ table: TableReader) -> [Configuration.Field] {
        guard let entries = table.table("headers") else { return [] }
        var fields: [Configuration.Field] = []
        for name in entries.names {
            guard let node = entries.take(name), let field = field(name, node, entries) else {
                continue
            }
            let lower = name.lowercased()
            if fields.contains(where: { $0.name.lowercased() == lower }) {
                entries.problems.add(
                    node, "is there twice, in other letters", "keep one of the two")
            }
            fields.append(field)
        }
        let bytes = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        if fields.count > mostFields || bytes > mostBytes {
            entries.report(
                "has \(fields.count) fields of \(bytes) bytes",
                "at most \(mostFields) of \(mostBytes) together")
        }
        return fields
    }

    static func entries(_ fields: [Configuration.Field]) -> [KeyEntry] {
        fields.map { KeyEntry(name: $0.name, value: TOMLText.quoted($0.value)) }
    }

    private static func field(
        _ name: String, _ node: ConfigNode, _ table: TableReader
    ) -> Configuration.Field? {
        guard isName(name) else {
            table.problems.add(
                node, "is no name of a field",
                "needs letters, digits and \"-\", like X-Frame-Options")
            return nil
        }
        let lower = name.lowercased()
        guard !reserved.contains(lower), !lower.hasPrefix("mooring-") else {
            table.problems.add(
                node, "is a field that Mooring or the application sets for each response",
                "take it out")
            return nil
        }
        guard case .text(let value) = node.value else {
            table.problems.add(node, "is \(node.kind)", "needs a text; \"\" takes the field out")
            return nil
        }
        guard isValue(value) else {
            table.problems.add(
                node, "holds what no field's value may",
                "needs printable ASCII in one line, without spaces at its ends")
            return nil
        }
        return Configuration.Field(name: name, value: value)
    }

    /// A token (RFC 9110 section 5.6.2) without characters that servers treat differently.
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { TOMLText.isBareKeyByte($0) && $0 != UInt8(ascii: "_") }
    }

    /// Whether the value is free of bytes that could start another line or field.
    private static func isValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !value.hasPrefix(" ")
            && !value.hasSuffix(" ")
    }
}
