/// The answer that sends a client to a folder by the name that ends with a slash (301), so that what its page
/// refers to is looked for in the folder.
package struct FolderAnswer {
    package var closes: Bool

    package init(closes: Bool) { self.closes = closes }

    /// Writes it all; it has no body.
    ///
    /// The place is a path of the same host: it begins with one slash, whatever was sent.
    ///
    /// - Parameters:
    ///   - base: What trusted proxies have taken off the path, as they say it.
    ///   - mount: What stands before the path, decoded; empty, or with a slash in front.
    ///   - path: Decoded, with one slash in front and none at its end.
    ///   - query: As sent, without the question mark.
    ///   - date: An IMF-fixdate.
    ///   - sink: Takes the answer.
    ///   - writeFields: Writes more field lines.
    package func write(
        base: Span<UInt8>, mount: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>,
        date: Span<UInt8>,
        into sink: inout ByteSink, fields writeFields: (inout ByteSink) -> Void
    ) {
        sink.append("HTTP/1.1 301 Moved Permanently\r\nDate: ")
        sink.append(date)
        sink.append("\r\nLocation: ")
        sink.append(base)
        Self.writeEscaped(mount, into: &sink)
        Self.writeEscaped(path, into: &sink)
        sink.append("/")
        if !query.isEmpty {
            sink.append("?")
            sink.append(query)
        }
        sink.append(
            "\r\nContent-Length: 0\r\nProxy-Status: mooring; details=\"a folder\"\r\n")
        writeFields(&sink)
        if closes { sink.append("Connection: close\r\n") }
        sink.append("\r\n")
    }

    private static func writeEscaped(_ path: Span<UInt8>, into sink: inout ByteSink) {
        for index in 0..<path.count {
            switch path[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                sink.append(path[index])
            default:
                sink.append("%")
                sink.append(hex: UInt64(path[index]), digits: 2)
            }
        }
    }
}
