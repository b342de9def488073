internal import HTTPWire

/// The protocol to a process: how requests are written and responses read.
///
/// The pumps move bytes between client and process. Everything specific to the process's protocol
/// is defined here: the encoding of a request's head and body, and the parsing of a response's head
/// and body. Each protocol is a file. The client's side is always HTTP/1.1, into which HTTP/2
/// streams are translated.
enum UpstreamCodec {
    case http1

    /// Writes a request's head, up to the first byte of its body.
    ///
    /// - Parameters:
    ///   - head: parsed from `bytes`; inout only to avoid a copy.
    ///   - resolved: the path without dot segments; empty: as received.
    ///   - prefix: bytes to remove from the start of the path, and `mount` the same, escaped.
    ///   - own: cookies to hide from the process, except the one named `kept`.
    @inline(__always)
    func writeHead(
        _ head: inout RequestHead, from bytes: Span<UInt8>, resolved: Span<UInt8>,
        strippingPrefix prefix: Int, mount: Span<UInt8>, hiding own: borrowing OwnCookies,
        keeping kept: Span<UInt8>, _ additions: borrowing HeadAdditions, into sink: inout ByteSink
    ) {
        switch self {
        case .http1:
            HTTP1Codec.writeHead(
                &head, from: bytes, resolved: resolved, strippingPrefix: prefix, mount: mount,
                hiding: own, keeping: kept, additions, into: &sink)
        }
    }

    /// The most bytes that framing adds to a piece of body.
    @inline(__always)
    var bodyOverhead: Int {
        switch self {
        case .http1: BodyFrame.overhead
        }
    }

    /// Writes a piece of a request's body.
    ///
    /// - Parameter isChunked: whether the head did not state the length of the body.
    @inline(__always)
    func writeBody(_ data: Span<UInt8>, isChunked: Bool, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.write(data, chunked: isChunked, into: &sink)
        }
    }

    /// Writes the end of a chunked request body.
    @inline(__always)
    func writeBodyEnd(trailers: Span<UInt8>, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.writeEnd(trailers: trailers, into: &sink)
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
        }
    }

    /// The decoder for the body that follows a response's head.
    @inline(__always)
    func body(_ head: borrowing ResponseHead, holdsTrailers: Bool) -> BodyDecoder {
        switch self {
        case .http1:
            BodyDecoder(head.body, holdsTrailers: holdsTrailers, breakMark: head.breakMark)
        }
    }
}
