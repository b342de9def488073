/// The purpose of a request, from its fields: read only for the few requests where it matters.
extension RequestHead {
    /// Where the query is, without its question mark; empty: there is none.
    package func query(_ bytes: Span<UInt8>) -> Range<Int> {
        let mark = Octets.first(0x3f, in: bytes, path.range)
        return min(mark &+ 1, path.range.upperBound)..<path.range.upperBound
    }

    /// The method as it was sent.
    package var methodName: Range<Int> { methodRange.range }

    /// The authority without its port.
    package func hostName(_ bytes: Span<UInt8>) -> Range<Int> {
        let all = host.range
        var end = all.upperBound
        while end > all.lowerBound, Octets.isDigit(bytes[end &- 1]) { end &-= 1 }
        let hasPort = end > all.lowerBound && bytes[end &- 1] == 0x3a
        return all.lowerBound..<(hasPort ? end &- 1 : all.upperBound)
    }

    /// Whether a browser asks if a script may send a request (CORS preflight; Fetch section 3.2.2).
    ///
    /// - Parameter bytes: the parsed bytes.
    package func isPreflight(_ bytes: Span<UInt8>) -> Bool {
        guard method == .options else { return false }
        return value(of: "origin", bytes) != nil
            && value(of: "access-control-request-method", bytes) != nil
    }

    /// Whether OPTIONS asks about the server as a whole rather than a resource (RFC 9110 section
    /// 9.3.7).
    ///
    /// `*`, or the equivalent absolute form without a path (RFC 9112 section 3.2.4).
    ///
    /// - Parameter bytes: the parsed bytes.
    package func asksServer(_ bytes: Span<UInt8>) -> Bool {
        guard method == .options else { return false }
        let path = self.path.range
        return path.isEmpty || path.count == 1 && bytes[path.lowerBound] == UInt8(ascii: "*")
    }

    /// Whether the client asks for a page to show: `Accept` names HTML.
    ///
    /// - Parameter bytes: the parsed bytes.
    package func asksForPage(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count
        where Octets.spells(bytes, fields[index].name.range, "accept") {
            var elements = ListElements(fields[index].value.range)
            while let element = elements.next(bytes) {
                var end = element.lowerBound
                while end < element.upperBound, bytes[end] != UInt8(ascii: ";") { end &+= 1 }
                let type = Octets.trimmed(bytes, element.lowerBound..<end)
                if Octets.spells(bytes, type, "text/html") { return true }
            }
        }
        return false
    }

    private func value(of name: StaticString, _ bytes: Span<UInt8>) -> Range<Int>? {
        for index in 0..<fields.count where Octets.spells(bytes, fields[index].name.range, name) {
            return fields[index].value.range
        }
        return nil
    }
}
