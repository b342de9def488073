/// Where a request's target holds an id of the application, by which its session is known.
package enum IDLocation: Equatable, Sendable {
    /// The first parameter of the query with this name.
    case parameter([UInt8])
    /// The segment of the path with this number, counted from 1.
    case segment(Int)

    /// Where the id is, as sent; nil: there is none, or an empty one.
    ///
    /// - Parameter target: a path with its query.
    package func find(in target: Span<UInt8>) -> Range<Int>? {
        var pathEnd = 0
        while pathEnd < target.count, target[pathEnd] != UInt8(ascii: "?") { pathEnd += 1 }
        let found =
            switch self {
            case .parameter(let name): Self.value(of: name.span, in: target, from: pathEnd + 1)
            case .segment(let number): Self.segment(number, of: target, to: pathEnd)
            }
        return found.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func value(
        of name: Span<UInt8>, in target: Span<UInt8>, from start: Int
    ) -> Range<Int>? {
        var start = start
        while start < target.count {
            var end = start
            while end < target.count, target[end] != UInt8(ascii: "&") { end += 1 }
            let value = start + name.count + 1
            if value <= end, target[value - 1] == UInt8(ascii: "="), begins(target, start, name) {
                return value..<end
            }
            start = end + 1
        }
        return nil
    }

    private static func begins(
        _ target: Span<UInt8>, _ start: Int, _ name: Span<UInt8>
    ) -> Bool {
        for offset in 0..<name.count where target[start + offset] != name[offset] { return false }
        return true
    }

    /// Empty segments do not count, as servers merge slashes.
    private static func segment(
        _ number: Int, of target: Span<UInt8>, to pathEnd: Int
    ) -> Range<Int>? {
        var count = 0
        var start = 0
        while start < pathEnd {
            var end = start
            while end < pathEnd, target[end] != UInt8(ascii: "/") { end += 1 }
            if end > start { count += 1 }
            if count == number { return start..<end }
            start = end + 1
        }
        return nil
    }
}

/// An id as its application has it: percent-decoded, up to a length.
package struct DecodedID {
    /// The most bytes of an id; longer ones count as none.
    package static let maximumLength = 256

    private var memory = InlineArray<256, UInt8>(repeating: 0)
    private var count = 0

    /// Nil: it is empty or too long.
    package init?(_ target: Span<UInt8>, _ range: Range<Int>) {
        var index = range.lowerBound
        let text = target.extracting(0..<range.upperBound)
        while index < range.upperBound {
            guard count < Self.maximumLength else { return nil }
            // A `?` or `#` in a query is itself.
            let (byte, end) = PathReader.decode(text, at: index) ?? (text[index], index + 1)
            memory[count] = byte
            count += 1
            index = end
        }
        if count == 0 { return nil }
    }

    /// The bytes.
    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { memory.span.extracting(0..<count) }
    }
}

/// Where a `Location` leads: an absolute reference, or one that begins with a slash (RFC 3986 section
/// 4.2).
package struct LocationTarget: Equatable, Sendable {
    /// Empty: the host of the request.
    package let host: Range<Int>
    /// The path with its query.
    package let target: Range<Int>

    /// Nil: it is relative to the request's path, or leads elsewhere than to HTTP.
    package init?(_ value: Span<UInt8>) {
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: "#") { end += 1 }
        var start = 0
        if !Self.isSlash(value, 0) {
            while start < end, value[start] != UInt8(ascii: ":") {
                if Self.isSlash(value, start) || value[start] == UInt8(ascii: "?") { return nil }
                start += 1
            }
            // Not `mailto:` and the like.
            guard start > 0, start < end, Self.isSlash(value, start + 1) else { return nil }
            start += 1
        }
        guard Self.isSlash(value, start + 1) else {
            guard start == 0 else { return nil }
            (host, target) = (0..<0, 0..<end)
            return
        }
        var path = start + 2
        while path < end, value[path] != UInt8(ascii: "/"), value[path] != UInt8(ascii: "?") {
            path += 1
        }
        host = (start + 2)..<path
        target = path..<end
    }

    private static func isSlash(_ value: Span<UInt8>, _ index: Int) -> Bool {
        index < value.count && value[index] == UInt8(ascii: "/")
    }
}
