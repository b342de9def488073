/// The part of the path that is hidden from a process, sent in `X-Forwarded-Prefix`.
package enum ForwardedPrefix {
    /// Percent-encodes a prefix, except unreserved octets and slashes.
    ///
    /// - Parameter prefix: decoded, as in routes.
    package static func escaped(_ prefix: String) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var path: [UInt8] = []
        for octet in prefix.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                path.append(octet)
            default:
                path += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return path
    }
}

extension RequestHead {
    /// Writes the process's mount point: below the prefix that trusted proxies have removed
    /// already.
    ///
    /// - Parameters:
    ///   - mount: the prefix removed here, escaped.
    ///   - isTrusted: whether the sender is a trusted proxy.
    ///   - bytes: the parsed bytes.
    ///   - sink: receives the line.
    func write(
        mount: Span<UInt8>, behindTrusted isTrusted: Bool, from bytes: Span<UInt8>,
        into sink: inout ByteSink
    ) {
        sink.append("X-Forwarded-Prefix: ")
        if isTrusted { writeForwardedPrefix(from: bytes, into: &sink) }
        sink.append(mount)
        sink.append("\r\n")
    }

    /// Writes what the proxies before this one have taken off the path, as they say it.
    ///
    /// Only if the sender is one of them, and trusted.
    package func writeForwardedPrefix(from bytes: Span<UInt8>, into sink: inout ByteSink) {
        for index in 0..<fields.count where isPrefix(index, bytes) {
            var elements = ListElements(fields[index].value.range)
            while let element = elements.next(bytes) {
                sink.append(bytes.extracting(segments(element, bytes)))
            }
        }
    }

    /// Whether a field is the sender's own `X-Forwarded-Prefix`.
    func isPrefix(_ index: Int, _ bytes: Span<UInt8>) -> Bool {
        let field = fields[index]
        return field.known == .xForwardedOther
            && Octets.spells(
                bytes, field.line.range.lowerBound..<field.line.range.lowerBound + 19,
                "x-forwarded-prefix:")
    }

    /// A path without trailing slashes; empty: not a path, or it could name another host.
    private func segments(_ element: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int> {
        var end = element.upperBound
        while end > element.lowerBound, bytes[end - 1] == UInt8(ascii: "/") { end -= 1 }
        let path = element.lowerBound..<end
        guard let first = path.first, bytes[first] == UInt8(ascii: "/"),
            bytes[first + 1] != UInt8(ascii: "/")
        else { return 0..<0 }
        return path
    }
}
