internal import Settings

/// Reads the `[[listen]]` tables.
struct ListenReader {
    let folders: Folders
    let problems: ProblemList
    private static let mostCertificates = 1000
    private static let mostNetworks = 1000

    /// The listeners with the positions of their addresses; one on 127.0.0.1:8080 if there is no
    /// table.
    func read(_ root: TableReader) -> [Located<Configuration.Listener>] {
        let standard = Configuration.Listener(.address(.tcp(host: "127.0.0.1", port: 8080)))
        guard let tables = root.tables("listen"), !tables.isEmpty else {
            return [Located(value: standard, node: root.node)]
        }
        var listeners: [Located<Configuration.Listener>] = []
        for table in tables {
            let (listener, isPlaced) = listener(table)
            let others = listeners.map(\.value)
            if isPortZero(listener.value.address) || !isPlaced {
                // Port 0 may repeat, since the kernel chooses each port; an invalid address cannot be
                // compared.
            } else if others.contains(where: { $0.address == listener.value.address }) {
                problems.add(
                    listener.node, "listens on \(listener.value.text) a second time",
                    "take one out")
            } else if let other = others.first(where: {
                listener.value.address.overlaps($0.address)
            }) {
                problems.add(
                    listener.node,
                    "is \(listener.value.text), and another listener is \(other.text)",
                    "one of them stands for the other's address too; take one out")
            }
            listeners.append(listener)
        }
        return listeners
    }

    /// A listener, and whether its address could be read; its files are read in any case.
    private func listener(_ table: TableReader) -> (Located<Configuration.Listener>, Bool) {
        let given = table.text("address", example: "127.0.0.1:8080")
        if !table.names.contains("address") {
            table.reportMissing(["address"], "has no address", "needs address = \"127.0.0.1:8080\"")
        }
        var listener = Configuration.Listener(.inherited(name: ""))
        listener.certificates = certificates(table)
        for key in ["certificate", "key"] {
            table.refuse(key, "stands in the listener itself", "move it below a [[listen.tls]]")
        }
        table.read(Configuration.Listener.keys, into: &listener, folders)
        table.finish()
        guard let given, let address = address(given, table) else {
            return (Located(value: listener, node: table.node), false)
        }
        listener.address = address
        listener.addressLocation = problems.location(of: given.node)
        return (Located(value: listener, node: given.node), true)
    }

    static func redirects(_ table: TableReader) -> Bool {
        guard let node = table.take("redirect") else { return false }
        if case .text("") = node.value { return false }
        guard case .text("https") = node.value else {
            table.problems.add(node, "is \(node.kind)", "needs \"https\"")
            return false
        }
        if table.names.contains("tls") {
            table.problems.add(
                node, "is on a listener that has TLS itself",
                "put it into the listener for clear text")
        }
        return true
    }

    private func address(
        _ given: Located<String>, _ table: TableReader
    ) -> ListenerAddress? {
        guard given.value.hasPrefix("fd:") else {
            return table.address(given, allowsPortZero: true).map { .address($0) }
        }
        let name = String(given.value.dropFirst("fd:".count))
        // sd_listen_fds_with_names(3): ASCII without controls and colons.
        let isName =
            (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        guard isName else {
            problems.add(
                given.node, "is \(given.node.kind)",
                "needs the FileDescriptorName= of a socket unit, like fd:http")
            return nil
        }
        return .inherited(name: name)
    }

    private func isPortZero(_ address: ListenerAddress) -> Bool {
        if case .address(.tcp(_, 0)) = address { true } else { false }
    }

    static func trustedProxies(_ table: TableReader) -> [String] {
        let given = table.texts("trusted_proxies", example: "10.0.0.0/8") ?? []
        if given.count > mostNetworks {
            table.report(
                at: "trusted_proxies", "has \(given.count) entries",
                "at most \(mostNetworks)")
        }
        return given.filter { isNetwork($0, table.problems) }.map(\.value)
    }

    /// Records a problem for a text that is not a network.
    private static func isNetwork(_ given: Located<String>, _ problems: ProblemList) -> Bool {
        if given.value == "unix" { return true }
        let parts = given.value.split(separator: "/", omittingEmptySubsequences: false)
        let isV4 = parts.first.flatMap { NumericHost.parseIPv4($0) } != nil
        let isV6 = parts.first.flatMap { NumericHost.parseIPv6($0) } != nil
        var isGood = (isV4 || isV6) && parts.count <= 2
        if isGood, parts.count == 2 {
            let digits = parts[1]
            isGood =
                (1...3).contains(digits.utf8.count) && !digits.hasPrefix("+")
                && (0...(isV4 ? 32 : 128)).contains(Int(digits) ?? -1)
        }
        if !isGood {
            problems.add(
                given.node, "holds \(TOMLText.excerpt(given.value)), which is no network",
                "write an address (10.0.0.7, ::1), a network (10.0.0.0/8, fd00::/8), or \"unix\""
                    + " for peers on unix sockets")
        }
        return isGood
    }

    private func certificates(_ table: TableReader) -> [Configuration.Listener.Certificate] {
        guard let tables = table.tables("tls") else { return [] }
        if tables.isEmpty || tables.count > Self.mostCertificates {
            table.report(
                at: "tls", "has \(tables.count) entries", "needs 1 to \(Self.mostCertificates)")
        }
        return tables.compactMap { entry in
            let certificate = entry.text("certificate", example: "cert.pem")
            let key = entry.text("key", example: "key.pem")
            for name in ["certificate", "key"] where !entry.names.contains(name) {
                entry.reportMissing([name], "has no \(name)", "needs \(name) = \"\(name).pem\"")
            }
            entry.finish()
            let certificatePath = folders.path(certificate, problems)
            let keyPath = folders.path(key, problems)
            if certificatePath == nil, keyPath == nil { return nil }
            return Configuration.Listener.Certificate(
                certificate: certificatePath ?? "", key: keyPath ?? "",
                certificateLocation: problems.location(of: certificate?.node ?? entry.node),
                keyLocation: problems.location(of: key?.node ?? entry.node))
        }
    }
}
