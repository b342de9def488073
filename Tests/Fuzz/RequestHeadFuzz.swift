internal import HTTPWire

private let limit = 4096

private func address(_ text: StaticString) -> IPAddress? {
    let bytes = Array("\(text)".utf8)
    return IPAddress(text: bytes.span)
}

private let peer = address("10.0.0.9")
private let trusted = try? TrustedNetworks(parsing: ["10.0.0.0/8", "2001:db8::/32", "unix"])

/// What is known of a request before and after it was passed on.
private struct Facts: Equatable {
    var method = RequestMethod.other
    var host: [UInt8] = []
    var body = BodyFraming.none
    var upgrade: [UInt8] = []
    var isWebSocket = false
    var acceptsTrailers = false

    init(_ head: borrowing RequestHead, _ bytes: [UInt8]) {
        method = head.method
        host = Array(bytes[head.host.range])
        body = head.body
        upgrade = Array(bytes[head.upgrade.range])
        isWebSocket = head.isWebSocket
        acceptsTrailers = head.acceptsTrailers && head.upgrade.isEmpty
    }
}

private func forwarded(
    _ head: borrowing RequestHead, _ bytes: [UInt8], origin: RequestOrigin?
) -> [UInt8] {
    let out = written { sink in
        head.write(
            from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []), forwarded: Span(),
            origin: origin, upgrade: true, into: &sink)
        sink.append("\r\n")
    }
    guard let out else { fatalError("a head of the limit fits") }
    return out
}

/// Parses what was written; it must be taken, whole, and say the same.
private func requireSame(_ facts: Facts, _ bytes: [UInt8]) {
    var head = RequestHead()
    var scan = 0
    let result = head.parse(bytes.span, resumeFrom: &scan, limit: 1 << 20)
    require(result == .complete, "what is passed on is taken by the next")
    require(head.headLength == bytes.count, "what is passed on ends where it seems to")
    require(Facts(head, bytes) == facts, "what is forwarded means the same")
    if head.maxForwards == nil || head.maxForwards == 0 {
        // A trusted proxy's word for the host is replaced, where it was that of another proxy before.
        let own = "Via: 1.1 mooring\r\n".utf8.count + facts.host.count
        require(
            forwarded(head, bytes, origin: nil).count <= bytes.count + own,
            "what is passed on again grows by its Via and the host alone")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequestHead(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    var head = RequestHead()
    var scan = 0
    let whole = head.parse(bytes.span, resumeFrom: &scan, limit: limit)
    requireSameInPieces(bytes, whole, headLength: head.headLength) { piece, scan in
        var other = RequestHead()
        return other.parse(piece, resumeFrom: &scan, limit: limit)
    }
    guard whole == .complete else { return 0 }
    require(head.headLength <= min(bytes.count, limit), "the head is among the bytes")
    require(head.fields.count <= FieldTable.capacity, "fields are bounded")
    // HTTP/1.0 without a host becomes HTTP/1.1 with an empty one.
    guard !head.host.isEmpty else { return 0 }
    let facts = Facts(head, bytes)
    requireSame(facts, forwarded(head, bytes, origin: nil))
    if let trusted {
        let origin = head.origin(in: bytes.span, peer: peer, isSecure: false, trusted: trusted)
        requireSame(facts, forwarded(head, bytes, origin: origin))
        let again = head.origin(in: bytes.span, peer: nil, isSecure: true, trusted: trusted)
        requireSame(facts, forwarded(head, bytes, origin: again))
    }
    return 0
}
