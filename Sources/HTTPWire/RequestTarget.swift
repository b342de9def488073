/// The request target (RFC 9112 section 3.2) and the authority in it or in `Host` (RFC 3986 section
/// 3.2).
enum RequestTarget {
    enum Form {
        /// Path and query, or `*`.
        case origin(Range<Int>)
        case absolute(authority: Range<Int>, path: Range<Int>)
        case bad(StaticString)
    }

    /// Where a target that begins at `start` ends, before `end` at the latest: at the first octet
    /// that it may not contain.
    ///
    /// Visible ASCII is allowed, except `#`, and `\` before the query, which parsers interpret
    /// differently. This is wider than the grammar of RFC 3986: browsers send quotes, braces and
    /// bars unescaped, and `\` in the query.
    static func end(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        while position < end, isOctet(bytes[position]) { position &+= 1 }
        guard position < end, bytes[position] == 0x5c else { return position }
        var query = start
        while query < position, bytes[query] != 0x3f { query &+= 1 }
        if query == position { return position }
        while position < end, isOctet(bytes[position]) || bytes[position] == 0x5c { position &+= 1 }
        return position
    }

    private static func isOctet(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != 0x23 && byte != 0x5c
    }

    /// Writes path and query, percent-encoding the octets that no URI may contain (RFC 3986
    /// appendix A) and strict servers refuse: `<` and `>`, a backquote in the path, a quotation
    /// mark in the query.
    static func writeEscaped(_ target: Span<UInt8>, into sink: inout ByteSink) {
        var start = 0
        var isQuery = false
        for position in 0..<target.count {
            let octet = target[position]
            if octet == 0x3f { isQuery = true }
            guard octet == 0x3c || octet == 0x3e || octet == (isQuery ? 0x22 : 0x60) else {
                continue
            }
            sink.append(target.extracting(start..<position))
            switch octet {
            case 0x22: sink.append("%22")
            case 0x3c: sink.append("%3C")
            case 0x3e: sink.append("%3E")
            default: sink.append("%60")
            }
            start = position &+ 1
        }
        sink.append(target.extracting(start..<target.count))
    }

    static func parse(_ bytes: Span<UInt8>, _ target: Range<Int>, isOptions: Bool) -> Form {
        let first = bytes[target.lowerBound]
        if first == 0x2f { return .origin(target) }
        if first == 0x2a, target.count == 1 {
            return isOptions ? .origin(target) : .bad("asterisk target")
        }
        let schemeLength =
            hasPrefix(bytes, target, "http://") ? 7 : hasPrefix(bytes, target, "https://") ? 8 : 0
        if schemeLength == 0 { return .bad("bad request target") }
        let start = target.lowerBound &+ schemeLength
        var end = start
        while end < target.upperBound, bytes[end] != 0x2f, bytes[end] != 0x3f { end &+= 1 }
        guard isAuthority(bytes, start..<end) else { return .bad("bad authority") }
        return .absolute(authority: start..<end, path: end..<target.upperBound)
    }

    /// `host` or `host:port`; host is a name, an IPv4 address or an IPv6 address in brackets; no
    /// user info.
    static func isAuthority(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, range.count <= 255 + 6 else { return false }
        var position = range.lowerBound
        if bytes[position] == 0x5b {
            position &+= 1
            let start = position
            while position < range.upperBound, bytes[position] != 0x5d { position &+= 1 }
            guard position < range.upperBound, isIPv6(bytes, start..<position) else { return false }
            position &+= 1
        } else {
            while position < range.upperBound, isNameOctet(bytes[position]) { position &+= 1 }
            if position == range.lowerBound { return false }
        }
        if position == range.upperBound { return true }
        guard bytes[position] == 0x3a else { return false }
        return isPort(bytes, position &+ 1..<range.upperBound)
    }

    private static func isPort(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        // An empty port is valid and means the scheme's default.
        if range.isEmpty { return true }
        guard range.count <= 5, let port = Octets.decimal(bytes, range) else { return false }
        return port <= 65_535
    }

    /// Unreserved characters; percent-encoding and sub-delims are excluded, since no host name has
    /// them.
    private static func isNameOctet(_ byte: UInt8) -> Bool {
        // Letters, digits and `-.~_`: two words of bits, as for tokens.
        let low: UInt64 = 0x03ff_6000_0000_0000
        let high: UInt64 = 0x47ff_fffe_87ff_fffe
        guard byte < 128 else { return false }
        let word = byte < 64 ? low : high
        return word >> UInt64(byte & 63) & 1 == 1
    }

    private static func isIPv6(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var hasColon = false
        for index in range where bytes[index] == 0x3a { hasColon = true }
        return hasColon && IPAddress(text: bytes.extracting(range)) != nil
    }

    private static func hasPrefix(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ literal: StaticString
    ) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard range.count > count else { return false }
        for offset in 0..<count {
            let lowered = Octets.lowered(bytes[range.lowerBound &+ offset])
            if lowered != literal.octet(offset) { return false }
        }
        return true
    }
}
