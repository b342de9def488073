internal import HTTPWire

/// How a request is put to a process, and its response read: all that a protocol to processes decides.
///
/// The pumps move bytes between the client and the process; what these bytes are on the process's side
/// they ask of here: how a request's head is written, how its body is framed, how a response's head is
/// parsed, and what follows that. Each protocol is a file. The client's side is always HTTP/1.1, which
/// HTTP/2 streams are turned into.
enum UpstreamCodec {
    case http1

    /// Writes a request's head, up to the first byte of its body.
    ///
    /// - Parameters:
    ///   - head: parsed from `bytes`; inout only so that it is not copied.
    ///   - resolved: the path without dot segments; empty: it goes as it came.
    ///   - prefix: bytes at the front of the path that the process does not see, and `mount` what
    ///     they are, escaped.
    ///   - own: cookies that the process does not see, but for the one named `kept`.
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

    /// Bytes that the framing of a piece of body takes at most, beside its data.
    @inline(__always)
    var bodyOverhead: Int {
        switch self {
        case .http1: BodyFrame.overhead
        }
    }

    /// Writes a piece of a request's body.
    ///
    /// - Parameter isChunked: The length of the body is not told in the head.
    @inline(__always)
    func writeBody(_ data: Span<UInt8>, isChunked: Bool, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.write(data, chunked: isChunked, into: &sink)
        }
    }

    /// Writes the end of a request's body whose length was not told.
    @inline(__always)
    func writeBodyEnd(trailers: Span<UInt8>, into sink: inout ByteSink) {
        switch self {
        case .http1: BodyFrame.writeEnd(trailers: trailers, into: &sink)
        }
    }

    /// Parses the head of a response that begins in `bytes`.
    ///
    /// - Parameters:
    ///   - scan: where to go on looking for its end; kept by the caller between two calls.
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

    /// Takes apart what follows a response's head that tells this of its body.
    @inline(__always)
    func body(_ head: borrowing ResponseHead, holdsTrailers: Bool) -> BodyDecoder {
        switch self {
        case .http1:
            BodyDecoder(head.body, holdsTrailers: holdsTrailers, breakMark: head.breakMark)
        }
    }
}
