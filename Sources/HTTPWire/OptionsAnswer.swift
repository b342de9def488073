/// The response to an OPTIONS that ends at Mooring (RFC 9110 sections 7.6.2 and 9.3.7).
package enum OptionsAnswer {
    /// The methods that Mooring accepts; processes may support fewer, or others.
    static let methods: StaticString = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

    /// Writes the complete response, which has no body.
    ///
    /// - Parameters:
    ///   - details: why it is not forwarded; ASCII without quotes.
    ///   - date: an IMF-fixdate.
    ///   - closes: whether the connection closes after it.
    ///   - sink: receives the response.
    ///   - writeFields: writes additional field lines.
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
