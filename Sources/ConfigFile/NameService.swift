internal import Settings

extension NameService {
    /// The keys of `[dns]`.
    static let rows: [KeyRow<NameService>] =
        [
            KeyRow(
                "servers", type: "list of addresses", standard: "those of `/etc/resolv.conf`",
                """
                The name servers that are asked for the names in `servers` of groups, such as \
                `["127.0.0.11"]` or `["10.0.0.2:5353"]`. `/etc/hosts` counts too.
                """,
                read: { service, table, _ in
                    guard let given = table.texts("servers", example: "10.0.0.2") else { return }
                    service.servers = given.compactMap { address($0, table.problems) }
                },
                text: { service in
                    guard !service.servers.isEmpty else { return nil }
                    return .list(service.servers)
                })
        ] + keys.map { KeyRow($0) }

    /// Port 53 unless another is given.
    private static func address(_ given: Located<String>, _ problems: ProblemList) -> String? {
        let plain = given.value[...]
        if let host = NumericHost.parseIPv4(plain) { return "\(host):53" }
        if let host = NumericHost.parseIPv6(plain) { return "[\(host)]:53" }
        do throws(AddressError) {
            if case .tcp(let host, let port) = try AddressText.parse(given.value) {
                return ProcessAddress.tcp(host: host, port: port).text
            }
            problems.add(given.node, "is \(given.node.kind)", "needs an address like 10.0.0.2")
        } catch {
            problems.add(given.node, error.wrong, "needs an address like 10.0.0.2 or 10.0.0.2:53")
        }
        return nil
    }
}
