/// A whole response that Mooring makes itself: small, plain, and silent about the inside.
package struct ErrorAnswer {
    private let status: UInt16
    private let error: StaticString
    private let details: StaticString
    private let retryAfterSeconds: Int
    private let closes: Bool
    private let isHead: Bool
    /// The media type of the body.
    private let type: StaticString

    /// - Parameters:
    ///   - status: The status code.
    ///   - error: The type for `Proxy-Status` (RFC 9209 section 2.3).
    ///   - details: For people; ASCII without quotes.
    ///   - retryAfterSeconds: 0: no `Retry-After`.
    ///   - closes: The connection ends after it.
    ///   - isHead: Answers HEAD: the body is left out.
    ///   - type: The media type of the body.
    package init(
        status: UInt16, error: StaticString, details: StaticString, retryAfterSeconds: Int,
        closes: Bool, isHead: Bool, type: StaticString
    ) {
        self.status = status
        self.error = error
        self.details = details
        self.retryAfterSeconds = retryAfterSeconds
        self.closes = closes
        self.isHead = isHead
        self.type = type
    }

    /// Writes it all.
    ///
    /// - Parameters:
    ///   - body: What people or programs are told.
    ///   - date: An IMF-fixdate.
    ///   - sink: Takes the answer.
    ///   - writeFields: Writes more field lines.
    package func write(
        body: Span<UInt8>, date: Span<UInt8>, into sink: inout ByteSink,
        fields writeFields: (inout ByteSink) -> Void
    ) {
        sink.append("HTTP/1.1 ")
        sink.append(decimal: UInt64(status))
        sink.append(" ")
        sink.append(Self.phrase(status))
        sink.append("\r\nDate: ")
        sink.append(date)
        sink.append("\r\nContent-Type: ")
        sink.append(type)
        sink.append("\r\nCache-Control: no-store\r\nContent-Length: ")
        sink.append(decimal: UInt64(body.count))
        sink.append("\r\nProxy-Status: mooring; error=")
        sink.append(error)
        sink.append("; details=\"")
        sink.append(details)
        sink.append("\"\r\n")
        writeFields(&sink)
        if retryAfterSeconds > 0 {
            sink.append("Retry-After: ")
            sink.append(decimal: UInt64(retryAfterSeconds))
            sink.append("\r\n")
        }
        if status == 405 {
            sink.append("Allow: ")
            sink.append(OptionsAnswer.methods)
            sink.append("\r\n")
        }
        if closes { sink.append("Connection: close\r\n") }
        sink.append("\r\n")
        if !isHead { sink.append(body) }
    }

    /// The reason phrase of the statuses that Mooring answers with (RFC 9110 section 15).
    static func phrase(_ status: UInt16) -> StaticString {
        switch status {
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}
