internal import HTTPWire

/// The protocol to a process: how requests are written and responses read.
///
/// The pumps move bytes between client and process. Everything specific to the process's protocol
/// is defined here: the encoding of a request's body, and the parsing of a response's head and body.
/// A request's head is always written as for HTTP/1.1 (`HTTP1Codec`); `FastCGIHeads` turns it into
/// parameters. The client's side is always HTTP/1.1, into which HTTP/2 streams are translated.
enum UpstreamCodec {
    case http1
    /// The responder role: one request at a time, in records that are removed as they are read.
    case fastCGI

    /// Whether requests and responses are sequences of records, and the end of each is a record.
    @inline(__always)
    var hasRecords: Bool {
        switch self {
        case .http1: false
        case .fastCGI: true
        }
    }

    /// Whether a kept connection may occupy a worker of the process, as PHP accepts no other before
    /// it ends.
    @inline(__always)
    var keepsWorkerBusy: Bool {
        switch self {
        case .http1: false
        case .fastCGI: true
        }
    }

    /// The most bytes that framing adds to a piece of body.
    @inline(__always)
    var bodyOverhead: Int {
        switch self {
        case .http1: BodyFrame.overhead
        case .fastCGI: FastCGIRecords.headerLength
        }
    }

    /// The most data of one piece of body.
    @inline(__always)
    var longestPiece: Int {
        switch self {
        case .http1: .max
        case .fastCGI: FastCGIRecords.mostContent
        }
    }

    /// Writes a piece of a request's body.
    ///
    /// - Parameter isChunked: whether the head did not state the length of the body.
    @inline(__always)
    func writeBody(_ data: Span<UInt8>, isChunked: Bool, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.write(data, chunked: isChunked, into: &sink)
        case .fastCGI: FastCGIRecords.writeInput(data, into: &sink)
        }
    }

    /// Writes the end of a chunked request body.
    ///
    /// FastCGI ends every body, in a record that `RequestBodies` adds.
    @inline(__always)
    func writeBodyEnd(trailers: Span<UInt8>, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.writeEnd(trailers: trailers, into: &sink)
        case .fastCGI: break
        }
    }

    /// Parses the head of a response that begins in `bytes`.
    ///
    /// - Parameters:
    ///   - scan: where to continue searching for its end; kept by the caller between two calls.
    ///   - offeredUpgrade: the protocols that the request offered to switch to.
    @inline(__always)
    func parseHead(
        _ head: inout ResponseHead, _ bytes: Span<UInt8>, resumeFrom scan: inout Int, limit: Int,
        requestMethod: RequestMethod, offeredUpgrade: Span<UInt8>
    ) -> HeadParse {
        switch self {
        case .http1:
            head.parse(
                bytes, resumeFrom: &scan, limit: limit, requestMethod: requestMethod,
                offeredUpgrade: offeredUpgrade)
        case .fastCGI:
            head.parseCGI(
                bytes, resumeFrom: &scan, limit: limit, requestMethod: requestMethod)
        }
    }

    /// The decoder for the body that follows a response's head.
    @inline(__always)
    func body(_ head: borrowing ResponseHead, holdsTrailers: Bool) -> BodyDecoder {
        switch self {
        case .http1:
            BodyDecoder(head.body, holdsTrailers: holdsTrailers, breakMark: head.breakMark)
        case .fastCGI: BodyDecoder(streamed: head.body)
        }
    }
}
