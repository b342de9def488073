internal import HTTPWire

private let limit = 4096
private let offered = Array("websocket, x/1".utf8)
private let ownCookies = OwnCookies(names: ["mooring"])
private let setCookie = Array("Set-Cookie: mooring=new\r\n".utf8)
private let date = Array("Sun, 22 Nov 2026 10:00:00 GMT".utf8)

private func parse(
    _ head: inout ResponseHead, _ bytes: Span<UInt8>, _ scan: inout Int, _ method: RequestMethod,
    limit: Int = limit
) -> HeadParse {
    head.parse(
        bytes, resumeFrom: &scan, limit: limit, requestMethod: method,
        offeredUpgrade: offered.span)
}

/// How the proxy frames the body for a client that speaks HTTP/1.1.
private func framing(_ body: BodyFraming) -> ResponseFraming {
    switch body {
    case .none: .none
    case .length: .length
    case .chunked, .untilClose: .chunked
    }
}

private func requireSame(
    _ head: borrowing ResponseHead, _ bytes: [UInt8], _ method: RequestMethod, _ cookie: [UInt8]
) {
    let out = written { sink in
        if head.isInformational {
            head.writeInformational(from: bytes.span, into: &sink)
        } else {
            head.write(
                from: bytes.span, framing: framing(head.body), closes: false, date: date.span,
                setCookie: cookie.span, trailers: true, into: &sink)
        }
    }
    guard let out else { fatalError("a head of the limit fits") }
    var again = ResponseHead()
    var scan = 0
    let result = parse(&again, out.span, &scan, method, limit: 1 << 20)
    require(result == .complete, "what is passed on is taken by the next")
    require(again.headLength == out.count, "what is passed on ends where it seems to")
    require(again.status == head.status, "the status stays")
    require(again.isSwitchingProtocols == head.isSwitchingProtocols, "so does the protocol")
    require(again.pinDirective == .none, "directives end here")
    if framing(head.body) == .chunked {
        require(again.body == .chunked, "a body stays one")
    } else {
        require(again.body == head.body, "a body stays as long as it is")
    }
    let sets = !head.isInformational && !cookie.isEmpty
    require(
        (again.change(ofCookie: "mooring", in: out.span, at: 0) == .set) == sets,
        "our cookie is set by us alone")
    require(again.remove(ownCookies, in: out.span) == (sets ? 1 : 0), "in every spelling")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponseHead(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    for method in [RequestMethod.get, .head] {
        var head = ResponseHead()
        var scan = 0
        let whole = parse(&head, bytes.span, &scan, method)
        requireSameInPieces(bytes, whole, headLength: head.headLength) { piece, scan in
            var other = ResponseHead()
            return parse(&other, piece, &scan, method)
        }
        guard whole == .complete else { return 0 }
        require(head.headLength <= min(bytes.count, limit), "the head is among the bytes")
        require(!head.isSwitchingProtocols || head.body == .none, "a 101 has no body")
        _ = head.remove(ownCookies, in: bytes.span)
        requireSame(head, bytes, method, [])
        requireSame(head, bytes, method, setCookie)
    }
    return 0
}
