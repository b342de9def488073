/// A request's path as it is routed and forwarded: without dot segments.
///
/// Paths that servers interpret differently are refused, so that the route chosen is the one of the
/// resource served: some servers decode before they split, some treat `\` as a slash, and servlet
/// containers remove the parameters of a segment before they look for dots.
package enum RequestPath {
    /// How to handle a path.
    package enum Form: Equatable, Sendable {
        /// Forward it unchanged.
        case plain
        /// It has dot segments, which `resolved` removes.
        case dotted
        /// Its dot segments lead above the root.
        case climbing
        /// It has dots that only some servers would treat as a dot segment: next to an encoded
        /// slash, or before a parameter.
        case hidden
        /// It has a backslash, encoded or not.
        case backslash
    }

    /// Classifies a path as sent; a query may follow.
    package static func form(of path: Span<UInt8>) -> Form {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return .plain }
        var segment = Segment()
        var depth = 0
        var isDotted = false
        var index = 1
        while let (byte, end) = PathReader.decode(path, at: index) {
            let isEncoded = end - index > 1
            index = end
            switch byte {
            case UInt8(ascii: "."): segment.dots += 1
            case UInt8(ascii: "\\"): return .backslash
            case UInt8(ascii: ";"):
                if segment.isDots { return .hidden }
                segment.hasOthers = true
            case UInt8(ascii: "/"):
                if segment.isDots, isEncoded || segment.followsEncoded { return .hidden }
                if !isEncoded {
                    depth += segment.step
                    if depth < 0 { return .climbing }
                }
                if segment.isDots { isDotted = true }
                segment = Segment(followsEncoded: isEncoded)
            default: segment.hasOthers = true
            }
        }
        guard segment.isDots else { return isDotted ? .dotted : .plain }
        if segment.followsEncoded { return .hidden }
        return depth + segment.step < 0 ? .climbing : .dotted
    }

    /// The path without its dot segments (RFC 3986 section 5.2.4), and its query; the rest
    /// unchanged.
    ///
    /// Only for a path of the form `dotted`.
    package static func resolved(_ path: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(path.count)
        var index = 0
        while index < path.count, path[index] == UInt8(ascii: "/") {
            let start = index + 1
            index = start
            while index < path.count, !isDelimiter(path[index]) { index += 1 }
            let isLast = index == path.count || path[index] != UInt8(ascii: "/")
            switch dots(path, start..<index) {
            case 1: break
            case 2:
                while let last = out.popLast(), last != UInt8(ascii: "/") {}
            default:
                append(path, start - 1..<index, to: &out)
                continue
            }
            if isLast { out.append(UInt8(ascii: "/")) }
        }
        append(path, index..<path.count, to: &out)
        return out
    }

    /// The state of one segment.
    private struct Segment {
        var dots = 0
        var hasOthers = false
        /// It follows an encoded slash.
        var followsEncoded = false

        var isDots: Bool { !hasOthers && (dots == 1 || dots == 2) }
        /// By how much the segment changes the depth.
        var step: Int { !isDots ? 1 : dots == 2 ? -1 : 0 }
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// 1 or 2 for a dot segment in any encoding, 0 for everything else.
    private static func dots(_ path: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var index = range.lowerBound
        while index < range.upperBound, let (byte, end) = PathReader.decode(path, at: index) {
            guard byte == UInt8(ascii: "."), count < 2 else { return 0 }
            count += 1
            index = end
        }
        return count
    }

    private static func append(_ path: Span<UInt8>, _ range: Range<Int>, to out: inout [UInt8]) {
        for index in range { out.append(path[index]) }
    }
}
