internal import Backends
internal import HTTPWire

/// HTTP/1.1 to processes (RFC 9112): a request's head and the fields added to it.
///
/// Bodies and responses are written and parsed by `HTTPWire`.
enum HTTP1Codec {
    @inline(__always)
    static func writeHead(
        _ head: inout RequestHead, from bytes: Span<UInt8>, resolved: Span<UInt8>,
        strippingPrefix prefix: Int, mount: Span<UInt8>, hiding own: borrowing OwnCookies,
        keeping kept: Span<UInt8>, host: Span<UInt8>, _ additions: borrowing HeadAdditions,
        into sink: inout ByteSink
    ) {
        head.write(
            from: bytes, resolved: resolved, strippingPrefix: prefix,
            inASCII: additions.takesASCIIOnly, mount: mount, hiding: own, keeping: kept,
            forwarded: additions.peer.fields.span.extracting(0..<additions.peer.fieldCount),
            origin: additions.origin, measured: additions.measuredLength,
            upgrade: additions.isUpgrade, overHTTP2: additions.isOverHTTP2,
            expectsContinue: additions.expectsContinue, host: host, into: &sink)
        if !additions.sessionLine.isEmpty {
            sink.append(bytes.extracting(additions.sessionLine.range))
            sink.append("\r\n")
        }
        if let grant = additions.grant { writeAffinity(grant, into: &sink) }
        if let id = additions.requestID { id.writeRequestID(into: &sink) }
        if let trace = additions.trace {
            trace.id.writeTraceparent(span: trace.span, into: &sink)
        }
        sink.append("\r\n")
        if additions.storedBytes > 0 {
            // The stored part is one chunk.
            sink.append(hex: additions.storedBytes)
            sink.append("\r\n")
        }
    }

    /// Writes `Mooring-Session` and `Mooring-Affinity` for a grant with a session.
    private static func writeAffinity(_ grant: Grant, into sink: inout ByteSink) {
        guard let session = grant.session else { return }
        sink.append("Mooring-Session: ")
        sink.append(hex: session.high, digits: 16)
        sink.append(hex: UInt64(session.low), digits: 8)
        switch grant.affinity {
        case .new: sink.append("\r\nMooring-Affinity: new\r\n")
        case .kept: sink.append("\r\nMooring-Affinity: kept\r\n")
        case .lost: sink.append("\r\nMooring-Affinity: lost\r\n")
        }
    }
}
