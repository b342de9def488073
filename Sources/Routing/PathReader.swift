/// Reads a request's path as the servers behind Mooring will see it: decoded once, with slashes
/// merged and path parameters removed.
///
/// A `%2F` counts as a slash, since WSGI servers decode the path before the application splits it;
/// a `%` without two hexadecimal digits is kept. The path ends at a `?` or `#`. Everything after a
/// `;` in a segment is skipped, since servlet containers remove it before they route.
struct PathReader {
    /// The offset of the next byte in the path as sent.
    private(set) var position = 0
    private var isAfterSlash = false

    /// The next byte; nil at the end.
    mutating func next(_ path: Span<UInt8>) -> UInt8? {
        while let (byte, end) = Self.decode(path, at: position) {
            if byte == UInt8(ascii: ";") {
                skipParameters(path)
                continue
            }
            position = end
            let wasAfterSlash = isAfterSlash
            isAfterSlash = byte == UInt8(ascii: "/")
            if isAfterSlash && wasAfterSlash { continue }
            return byte
        }
        return nil
    }

    /// Skips the parameters of the segment that has been read, if there are any.
    mutating func skipParameters(_ path: Span<UInt8>) {
        guard case (UInt8(ascii: ";"), let start)? = Self.decode(path, at: position) else { return }
        position = start
        while let (byte, end) = Self.decode(path, at: position), byte != UInt8(ascii: "/") {
            position = end
        }
    }

    /// The byte encoded at `index` and where the next one begins; nil at the path's end.
    static func decode(_ path: Span<UInt8>, at index: Int) -> (byte: UInt8, end: Int)? {
        guard index < path.count else { return nil }
        let byte = path[index]
        if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") { return nil }
        guard byte == UInt8(ascii: "%"), path.count - index > 2,
            let high = digit(path[index + 1]), let low = digit(path[index + 2])
        else { return (byte, index + 1) }
        return (high << 4 | low, index + 3)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
