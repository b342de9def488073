/// The field lines of a head as parameters: `HTTP_…` (RFC 3875 section 4.1.18).
///
/// They are told of the head that a process would get over HTTP, so that the same fields are hidden, added and
/// vouched for. No field can forge another parameter, since all but one begin with `HTTP_`, and a name with
/// anything but letters, digits and hyphens is left out: with `_` it would pass for the field with `-`.
package struct FastCGIFields: ~Copyable, ~Escapable {
    private let bytes: Span<UInt8>
    /// Where the field lines begin.
    private let start: Int
    /// Which names come more than once, by a bit of each.
    private var repeated: UInt64 = 0

    /// - Parameter head: A request's head as it is sent over HTTP/1.1, up to and with the empty line.
    @_lifetime(copy head)
    package init(_ head: Span<UInt8>) {
        bytes = head
        start = (HeadLines.lineFeed(head, from: 0) ?? head.count &- 1) &+ 1
        var seen: UInt64 = 0
        var position = start
        while let line = Self.line(head, at: position) {
            position = line.next
            let bit = Self.bit(of: line.name, in: head)
            repeated |= seen & bit
            seen |= bit
        }
    }

    /// Writes a parameter for each name; the values of a name that comes again are joined, as the RFC asks for.
    package func write(into sink: inout ByteSink) {
        var position = start
        while let line = Self.line(bytes, at: position) {
            let here = position
            position = line.next
            guard let kind = Kind(bytes, line.name) else { continue }
            let isRepeated = repeated & Self.bit(of: line.name, in: bytes) != 0
            if isRepeated, comesBefore(here, line.name) { continue }
            let separator: StaticString = kind == .cookie ? "; " : ", "
            let others = isRepeated ? lengthOfOthers(from: position, line.name, separator) : 0
            writeName(kind, line.name, valueLength: line.value.count &+ others, into: &sink)
            sink.append(bytes.extracting(line.value))
            if others > 0 { writeOthers(from: position, line.name, separator, into: &sink) }
        }
    }

    private enum Kind {
        case contentType, cookie, other

        /// Nil: it is told otherwise, ends at this connection, or might be taken for another.
        init?(_ bytes: Span<UInt8>, _ name: Range<Int>) {
            for index in name {
                let octet = bytes[index]
                guard Octets.isDigit(octet) || (octet | 0x20) &- 0x61 < 26 || octet == 0x2d else {
                    return nil
                }
            }
            if Octets.spells(bytes, name, "content-type") {
                self = .contentType
                return
            }
            switch FieldName.of(bytes, name, hasUnderscore: false) {
            case .cookie: self = .cookie
            case .connection, .contentLength, .expect, .keepAlive, .proxy, .proxyConnection, .te,
                .trailer, .transferEncoding, .upgrade:
                return nil
            case .other, .altSvc, .authorization, .cacheControl, .date, .forwarded, .host,
                .maxForwards, .mooringAffinity, .mooringPin, .mooringSession, .mooringWord,
                .proxyAuthenticate, .proxyAuthorization, .secWebSocketVersion, .setCookie, .via,
                .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim,
                .identifier, .targetedCaching, .imitation, .underscored:
                self = .other
            }
        }
    }

    private func writeName(
        _ kind: Kind, _ name: Range<Int>, valueLength: Int, into sink: inout ByteSink
    ) {
        if kind == .contentType {
            FastCGIParameters.writeLengths(12, valueLength, into: &sink)
            sink.append("CONTENT_TYPE")
            return
        }
        FastCGIParameters.writeLengths(name.count &+ 5, valueLength, into: &sink)
        sink.append("HTTP_")
        for index in name {
            let octet = bytes[index]
            sink.append(octet == 0x2d ? 0x5f : octet &- 0x61 < 26 ? octet & 0xdf : octet)
        }
    }

    // MARK: Names that come again

    private func comesBefore(_ end: Int, _ name: Range<Int>) -> Bool {
        var position = start
        while position < end, let line = Self.line(bytes, at: position) {
            if Octets.isSame(bytes, line.name, name) { return true }
            position = line.next
        }
        return false
    }

    private func lengthOfOthers(
        from first: Int, _ name: Range<Int>, _ separator: StaticString
    ) -> Int {
        var length = 0
        var position = first
        while let line = Self.line(bytes, at: position) {
            position = line.next
            if Octets.isSame(bytes, line.name, name) {
                length &+= separator.utf8CodeUnitCount &+ line.value.count
            }
        }
        return length
    }

    private func writeOthers(
        from first: Int, _ name: Range<Int>, _ separator: StaticString,
        into sink: inout ByteSink
    ) {
        var position = first
        while let line = Self.line(bytes, at: position) {
            position = line.next
            guard Octets.isSame(bytes, line.name, name) else { continue }
            sink.append(separator)
            sink.append(bytes.extracting(line.value))
        }
    }

    private static func bit(of name: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: name.count)
        for index in name { hash = hash &* 31 &+ UInt64(bytes[index] | 0x20) }
        return 1 << (hash & 63)
    }

    // MARK: Lines

    private struct Line {
        let name: Range<Int>
        let value: Range<Int>
        let next: Int
    }

    /// The line at a position; nil: the empty one, or the end.
    private static func line(_ bytes: Span<UInt8>, at start: Int) -> Line? {
        guard start < bytes.count, bytes[start] != 0x0d, bytes[start] != 0x0a,
            let feed = HeadLines.lineFeed(bytes, from: start)
        else { return nil }
        let end = bytes[feed &- 1] == 0x0d ? feed &- 1 : feed
        let colon = Octets.first(0x3a, in: bytes, start..<end)
        guard colon < end else { return nil }
        return Line(
            name: start..<colon, value: Octets.trimmed(bytes, colon &+ 1..<end), next: feed &+ 1)
    }
}
