/// The elements of one `Forwarded` field's value, one for each proxy on the way (RFC 7239 section
/// 4).
///
/// Strict: a syntax error or a repeated parameter invalidates the whole field.
struct ForwardedElements {
    /// One proxy's statement about the request that it received; empty ranges: not stated.
    struct Element {
        /// `for`, without quotes.
        var node = 0..<0
        var proto = 0..<0
        var host = 0..<0
    }

    enum Step {
        case element(Element)
        case end
        case bad
    }

    private var position: Int
    private let end: Int

    init(_ value: Range<Int>) {
        position = value.lowerBound
        end = value.upperBound
    }

    mutating func next(_ bytes: Span<UInt8>) -> Step {
        // Empty list elements are ignored (RFC 9110 section 5.6.1.2).
        while position < end, Octets.isSpace(bytes[position]) || bytes[position] == 0x2c {
            position += 1
        }
        if position == end { return .end }
        var element = Element()
        while true {
            guard pair(bytes, of: &element) else { return .bad }
            skipSpace(bytes)
            if position == end { return .element(element) }
            let separator = bytes[position]
            position += 1
            if separator == 0x2c { return .element(element) }
            guard separator == 0x3b else { return .bad }
            skipSpace(bytes)
            if position == end { return .element(element) }
        }
    }

    /// `token "=" (token / quoted-string)`, or nothing before a separator.
    private mutating func pair(_ bytes: Span<UInt8>, of element: inout Element) -> Bool {
        if bytes[position] == 0x3b || bytes[position] == 0x2c { return true }
        let name = token(bytes)
        guard !name.isEmpty, position < end, bytes[position] == 0x3d else { return false }
        position += 1
        guard let value = value(bytes) else { return false }
        if Octets.spells(bytes, name, "for") { return Self.set(&element.node, value) }
        if Octets.spells(bytes, name, "proto") { return Self.set(&element.proto, value) }
        if Octets.spells(bytes, name, "host") { return Self.set(&element.host, value) }
        return true
    }

    private static func set(_ range: inout Range<Int>, _ value: Range<Int>) -> Bool {
        guard range.isEmpty, !value.isEmpty else { return false }
        range = value
        return true
    }

    private mutating func token(_ bytes: Span<UInt8>) -> Range<Int> {
        let start = position
        while position < end, Octets.isToken(bytes[position]) { position += 1 }
        return start..<position
    }

    /// A token, or the content of a quoted string; one with an escape, which no address needs, is
    /// refused.
    private mutating func value(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard position < end, bytes[position] == 0x22 else {
            let token = token(bytes)
            return token.isEmpty ? nil : token
        }
        position += 1
        let start = position
        while position < end, bytes[position] != 0x22, bytes[position] != 0x5c { position += 1 }
        guard position < end, bytes[position] == 0x22 else { return nil }
        position += 1
        return start..<position - 1
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < end, Octets.isSpace(bytes[position]) { position += 1 }
    }
}

/// A node as proxies write it: an address, with or without brackets and port.
enum ForwardedNode {
    /// The address of a node; nil: it is obfuscated (`unknown`, `_name`) or invalid.
    static func address(_ bytes: Span<UInt8>, _ range: Range<Int>) -> IPAddress? {
        guard !range.isEmpty, range.count <= 64 else { return nil }
        if bytes[range.lowerBound] == 0x5b {
            var close = range.lowerBound
            while close < range.upperBound, bytes[close] != 0x5d { close += 1 }
            guard close < range.upperBound, isPort(bytes, close + 1..<range.upperBound) else {
                return nil
            }
            let address = parse(bytes, range.lowerBound + 1..<close)
            return address
        }
        var colons = 0
        var last = range.upperBound
        for index in range where bytes[index] == 0x3a {
            colons += 1
            last = index
        }
        // A single colon precedes a port; more belong to IPv6.
        if colons != 1 { return parse(bytes, range) }
        guard isPort(bytes, last..<range.upperBound) else { return nil }
        return parse(bytes, range.lowerBound..<last)
    }

    private static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> IPAddress? {
        IPAddress(text: bytes.extracting(range))
    }

    /// Nothing, or a colon and a port; obfuscated ports (RFC 7239 section 6.3) are accepted.
    private static func isPort(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        if range.isEmpty { return true }
        guard bytes[range.lowerBound] == 0x3a, range.count > 1 else { return false }
        return Octets.decimal(bytes, range.lowerBound + 1..<range.upperBound) != nil
            || bytes[range.lowerBound + 1] == 0x5f
    }
}
