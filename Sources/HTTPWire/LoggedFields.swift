/// The fields of a request's head that the access log shows.
///
/// They are searched in the head's bytes when the line is written, so requests whose log format
/// shows none of them pay nothing.
package struct LoggedFields {
    /// The authority of an absolute target, else the value of `Host`; nil: there is neither.
    package private(set) var host: Range<Int>?
    package private(set) var userAgent: Range<Int>?
    package private(set) var referer: Range<Int>?
    package private(set) var requestID: Range<Int>?

    /// - Parameters:
    ///   - head: a head that was accepted; in other bytes, less or nothing is found.
    ///   - requestLine: the range of its request line, without the line end.
    package init(_ head: Span<UInt8>, requestLine: Range<Int>) {
        guard requestLine.upperBound <= head.count else { return }
        host = Self.authority(head, requestLine)
        var position = Self.lineFeed(head, from: requestLine.upperBound) &+ 1
        while position < head.count {
            let feed = Self.lineFeed(head, from: position)
            guard note(head, position..<feed) else { return }
            position = feed &+ 1
        }
    }

    /// Records one field line; false: the end of the head.
    private mutating func note(_ head: Span<UInt8>, _ line: Range<Int>) -> Bool {
        var colon = line.lowerBound
        while colon < line.upperBound, head[colon] != 0x3a { colon &+= 1 }
        guard colon < line.upperBound else { return line.count > 1 }
        let name = line.lowerBound..<colon
        var end = line.upperBound
        if head[end &- 1] == 0x0d { end &-= 1 }
        let value = Octets.trimmed(head, colon &+ 1..<max(end, colon &+ 1))
        switch name.count {
        case 4 where host == nil && Octets.spells(head, name, "host"): host = value
        case 7 where referer == nil && Octets.spells(head, name, "referer"): referer = value
        case 10 where userAgent == nil && Octets.spells(head, name, "user-agent"):
            userAgent = value
        case 12 where requestID == nil && Octets.spells(head, name, "x-request-id"):
            requestID = value
        default: break
        }
        return true
    }

    /// The authority of `GET http://host/path HTTP/1.1`.
    private static func authority(_ head: Span<UInt8>, _ line: Range<Int>) -> Range<Int>? {
        var start = line.lowerBound
        while start < line.upperBound, head[start] != 0x20 { start &+= 1 }
        start &+= 1
        guard start < line.upperBound, head[start] != 0x2f else { return nil }
        var scheme = start
        while scheme < line.upperBound, head[scheme] != 0x3a { scheme &+= 1 }
        guard scheme &+ 2 < line.upperBound, head[scheme &+ 1] == 0x2f, head[scheme &+ 2] == 0x2f
        else { return nil }
        let first = scheme &+ 3
        var end = first
        while end < line.upperBound, !isEnd(head[end]) { end &+= 1 }
        return end > first ? first..<end : nil
    }

    private static func isEnd(_ byte: UInt8) -> Bool {
        byte == 0x2f || byte == 0x3f || byte == 0x23 || byte == 0x20
    }

    /// The next line feed, or the end.
    private static func lineFeed(_ head: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position < head.count, head[position] != 0x0a { position &+= 1 }
        return position
    }
}
