/// The value of a `Host` field that the configuration gives.
enum HostField {
    /// Records a problem unless it is a host, perhaps with a port.
    static func check(_ given: Located<String>, _ problems: ProblemList) {
        if !isValid(given.value) {
            problems.add(
                given.node, "is \(given.node.kind), which is no host",
                "needs a name, perhaps with a port, like \"app.example.org:8443\"")
        }
    }

    private static func isValid(_ text: String) -> Bool {
        let (host, port): (Substring, Substring?)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard NumericHost.parseIPv6(address) != nil else { return false }
            return rest.isEmpty || UInt16(rest.dropFirst()) != nil
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        (host, port) = (parts[0], parts.count > 1 ? parts[1] : nil)
        // Names within a container network may have underscores.
        return HostName.isValid(host.replacing("_", with: "-"))
            && port.map { UInt16($0) != nil } ?? true
    }
}
