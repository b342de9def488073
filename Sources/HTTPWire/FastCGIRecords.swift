/// What FastCGI is made of (FastCGI specification 1.0, sections 3.3 and 8): records of a header, content and
/// padding.
///
/// One request at a time goes over a connection, so all of them have the same number.
package enum FastCGIRecords {
    /// Bytes of a header, and of the body of `FCGI_BEGIN_REQUEST` and `FCGI_END_REQUEST`.
    package static let headerLength = 8
    /// The most content of one record.
    package static let mostContent = 65_535
    static let version: UInt8 = 1
    static let requestID: UInt16 = 1
    private static let responder: UInt8 = 1
    private static let keepConnection: UInt8 = 1

    /// The records that go either way between a responder and its server.
    enum Kind: UInt8 {
        case beginRequest = 1
        case abortRequest = 2
        case endRequest = 3
        case parameters = 4
        case input = 5
        case output = 6
        case errors = 7
    }

    /// What `FCGI_END_REQUEST` says of the request (section 5.5).
    package enum End: Equatable, Sendable {
        case complete
        /// `FCGI_OVERLOADED`.
        case overloaded
        /// The process speaks another role, or wants no request beside another.
        case refused

        init(status: UInt8) {
            self =
                switch status {
                case 0: .complete
                case 2: .overloaded
                default: .refused
                }
        }
    }

    /// Begins a request, and tells its parameters.
    ///
    /// - Parameters:
    ///   - parameters: Names and values, as `FastCGIParameters` writes them.
    ///   - keepsConnection: The process is not to close after its response.
    ///   - sink: Takes the records.
    package static func writeHead(
        parameters: Span<UInt8>, keepsConnection: Bool, into sink: inout ByteSink
    ) {
        writeHeader(.beginRequest, length: 8, into: &sink)
        sink.append(0)
        sink.append(responder)
        sink.append(keepsConnection ? keepConnection : 0)
        for _ in 0..<5 { sink.append(0) }
        var position = 0
        while position < parameters.count {
            let end = min(position &+ mostContent, parameters.count)
            writeHeader(.parameters, length: end &- position, into: &sink)
            sink.append(parameters.extracting(position..<end))
            position = end
        }
        writeHeader(.parameters, length: 0, into: &sink)
    }

    /// How many bytes `writeHead` appends.
    package static func headLength(parameters count: Int) -> Int {
        let records = (count &+ mostContent &- 1) / mostContent
        return count &+ (records &+ 3) &* headerLength
    }

    /// Writes a piece of a request's body: at most `mostContent`; nothing for no data, which would be the end.
    package static func writeInput(_ data: Span<UInt8>, into sink: inout ByteSink) {
        precondition(data.count <= mostContent, "a record has so much content at most")
        if data.isEmpty { return }
        writeInputHeader(length: data.count, into: &sink)
        sink.append(data)
    }

    /// Begins a record of so much of a request's body; of none: ends the body.
    package static func writeInputHeader(length: Int, into sink: inout ByteSink) {
        writeHeader(.input, length: length, into: &sink)
    }

    /// Tells that nobody waits for the response any more (section 5.4).
    package static func writeAbort(into sink: inout ByteSink) {
        writeHeader(.abortRequest, length: 0, into: &sink)
    }

    private static func writeHeader(_ kind: Kind, length: Int, into sink: inout ByteSink) {
        sink.append(version)
        sink.append(kind.rawValue)
        sink.append(UInt8(truncatingIfNeeded: requestID >> 8))
        sink.append(UInt8(truncatingIfNeeded: requestID))
        sink.append(UInt8(truncatingIfNeeded: length >> 8))
        sink.append(UInt8(truncatingIfNeeded: length))
        sink.append(0)
        sink.append(0)
    }
}
