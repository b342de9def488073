/// The answer to an OPTIONS that may go no further than here (RFC 9110 sections 7.6.2 and 9.3.7).
package enum OptionsAnswer {
    /// What may be asked of Mooring; processes may know fewer methods, or others.
    static let methods: StaticString = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

    /// Writes it all; it has no body.
    ///
    /// - Parameters:
    ///   - details: Why it goes no further; ASCII without quotes.
    ///   - date: An IMF-fixdate.
    ///   - closes: The connection ends after it.
    ///   - sink: Takes the answer.
    ///   - writeFields: Writes more field lines.
    package static func write(
        details: StaticString, date: Span<UInt8>, closes: Bool, into sink: inout ByteSink,
        fields writeFields: (inout ByteSink) -> Void
    ) {
        sink.append("HTTP/1.1 200 OK\r\nDate: ")
        sink.append(date)
        sink.append("\r\nAllow: ")
        sink.append(methods)
        sink.append("\r\nProxy-Status: mooring; details=\"")
        sink.append(details)
        sink.append("\"\r\n")
        sink.append("Content-Length: 0\r\n")
        writeFields(&sink)
        if closes { sink.append("Connection: close\r\n") }
        sink.append("\r\n")
    }
}
