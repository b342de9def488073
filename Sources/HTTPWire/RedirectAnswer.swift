/// The redirect of a client to the same address over https (308, which keeps the method).
package struct RedirectAnswer {
    /// The port of the listener with TLS; 0: unknown.
    package var port: UInt16
    package var closes: Bool

    package init(port: UInt16, closes: Bool) {
        self.port = port
        self.closes = closes
    }

    /// Writes the complete response, which has no body.
    ///
    /// A client that used a non-standard port is redirected to the listener's port. A client that
    /// used the standard port is redirected to the standard one, which a NAT or container may map
    /// to another port here.
    ///
    /// - Parameters:
    ///   - host: the authority that the client requested.
    ///   - path: path and query, as sent.
    ///   - date: an IMF-fixdate.
    ///   - sink: receives the response.
    ///   - writeFields: writes additional field lines.
    package func write(
        host: Span<UInt8>, path: Span<UInt8>, date: Span<UInt8>, into sink: inout ByteSink,
        fields writeFields: (inout ByteSink) -> Void
    ) {
        let name = Self.nameLength(host)
        sink.append("HTTP/1.1 308 Permanent Redirect\r\nDate: ")
        sink.append(date)
        sink.append("\r\nLocation: https://")
        sink.append(host.extracting(0..<name))
        if name < host.count, port != 0, port != 443, !Self.isStandard(host, name) {
            sink.append(":")
            sink.append(decimal: UInt64(port))
        }
        if path.isEmpty || path[0] != 0x2f { sink.append("/") }
        // `*` of OPTIONS is not a path.
        if !path.isEmpty, path[0] != 0x2a { sink.append(path) }
        sink.append("\r\nContent-Length: 0\r\nProxy-Status: mooring; details=\"https only\"\r\n")
        writeFields(&sink)
        if closes { sink.append("Connection: close\r\n") }
        sink.append("\r\n")
    }

    /// The bytes of an authority before the colon of its port.
    private static func nameLength(_ host: Span<UInt8>) -> Int {
        var index = host.count
        while index > 0, Octets.isDigit(host[index &- 1]) { index &-= 1 }
        return index > 0 && host[index &- 1] == 0x3a ? index &- 1 : host.count
    }

    private static func isStandard(_ host: Span<UInt8>, _ name: Int) -> Bool {
        let port = name &+ 1..<host.count
        return port.isEmpty || Octets.spells(host, port, "80")
    }
}
