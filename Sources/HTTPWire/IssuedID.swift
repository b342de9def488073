/// The id that a process issues in the beginning of a JSON body, such as Engine.IO's
/// `0{"sid":"…","upgrades":…}`.
package enum IssuedID {
    /// How much of a body is looked at.
    package static let searchedLength = 1024
    /// The most characters of an id; longer ones are none.
    package static let maximumLength = 256

    /// Where the text that belongs to a name is; nil: there is none.
    ///
    /// - Parameters:
    ///   - name: of a member of an object, without its quotes.
    ///   - body: the first piece of the body.
    package static func find(_ name: Span<UInt8>, in body: Span<UInt8>) -> Range<Int>? {
        let end = min(body.count, searchedLength)
        var position = 0
        while true {
            position = Octets.first(quote, in: body, position..<end)
            guard position + name.count + 1 < end else { return nil }
            position += 1
            if let value = value(of: name, at: position, in: body, end) { return value }
        }
    }

    private static let quote = UInt8(ascii: "\"")

    private static func value(
        of name: Span<UInt8>, at start: Int, in body: Span<UInt8>, _ end: Int
    ) -> Range<Int>? {
        for offset in 0..<name.count where body[start + offset] != name[offset] { return nil }
        var position = start + name.count
        guard body[position] == quote else { return nil }
        position = skipSpaces(body, position + 1, end)
        guard position < end, body[position] == UInt8(ascii: ":") else { return nil }
        position = skipSpaces(body, position + 1, end)
        guard position < end, body[position] == quote else { return nil }
        let value = position + 1
        position = value
        while position < end, body[position] != quote {
            let byte = body[position]
            // Escapes are not decoded.
            guard byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        guard position < end, (1...maximumLength).contains(position - value) else { return nil }
        return value..<position
    }

    private static func skipSpaces(_ body: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end, Octets.isSpace(body[position]) { position += 1 }
        return position
    }
}
