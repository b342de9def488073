internal import HTTPWire

private let limit = 4096
private let date = Array("Sun, 22 Nov 2026 10:00:00 GMT".utf8)

/// What one response of a process comes to.
private struct Taken: Equatable {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var errorRecords = 0
    var end: FastCGIRecords.End?
    var isBad = false
}

/// Takes the records off bytes that come in pieces of at most `step`.
private func take(_ bytes: [UInt8], step: Int) -> Taken {
    var decoder = FastCGIDecoder()
    var taken = Taken()
    var position = 0
    var available = 0
    while !decoder.isOver {
        if position == available {
            if available == bytes.count { break }
            available = min(bytes.count, available + step)
        }
        let piece = bytes.span.extracting(position..<available)
        switch decoder.next(piece) {
        case .output(let consumed, let range):
            require(!range.isEmpty && range.upperBound == consumed, "content is consumed with it")
            taken.output += bytes[position + range.lowerBound..<position + range.upperBound]
            position += consumed
        case .errors(let consumed, let range, let endsRecord):
            require(!range.isEmpty && range.upperBound == consumed, "content is consumed with it")
            taken.errors += bytes[position + range.lowerBound..<position + range.upperBound]
            taken.errorRecords += endsRecord ? 1 : 0
            position += consumed
        case .needMore: position = available
        case .end(let consumed):
            position += consumed
            require(decoder.end != nil, "an end is told")
        case .bad: require(decoder.isBad, "what is bad stays so")
        }
        require(position <= available, "no more is consumed than there is")
    }
    taken.end = decoder.end
    taken.isBad = decoder.isBad
    require(taken.output.count + taken.errors.count <= bytes.count, "nothing is made up")
    return taken
}

/// The head is one over HTTP too, and what its client gets is taken by the next.
private func requireHead(_ bytes: [UInt8]) {
    for method in [RequestMethod.get, .head] {
        var head = ResponseHead()
        var scan = 0
        let whole = head.parseCGI(
            bytes.span, resumeFrom: &scan, limit: limit, requestMethod: method)
        requireSameInPieces(bytes, whole, headLength: head.headLength) { piece, scan in
            var other = ResponseHead()
            return other.parseCGI(piece, resumeFrom: &scan, limit: limit, requestMethod: method)
        }
        guard whole == .complete else { return }
        require(head.status >= 200, "no interim response comes this way")
        let framing: ResponseFraming =
            switch head.body {
            case .none: .none
            case .length: .length
            case .chunked, .untilClose: .chunked
            }
        let out = written { sink in
            head.write(
                from: bytes.span, framing: framing, closes: false, date: date.span,
                setCookie: Span(), into: &sink)
        }
        guard let out else { fatalError("a head of the limit fits") }
        var again = ResponseHead()
        scan = 0
        let result = again.parse(
            out.span, resumeFrom: &scan, limit: 1 << 20, requestMethod: method)
        require(result == .complete, "what is passed on is taken by the next")
        require(again.headLength == out.count, "what is passed on ends where it seems to")
        require(again.status == head.status, "the status stays")
        require(
            framing == .chunked ? again.body == .chunked : again.body == head.body,
            "a body stays as long as it is")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFastCGI(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    var dice = InputDice(bytes)
    let whole = take(bytes, step: max(1, bytes.count))
    for step in [1, 1 + dice.roll(16), 1 + dice.roll(bytes.count)] {
        require(take(bytes, step: step) == whole, "pieces say what the whole does")
    }
    requireHead(whole.output)
    requireHead(bytes)
    let told = written { FastCGIFields(bytes.span).write(into: &$0) }
    require((told?.count ?? 0) <= 10 * bytes.count + 16, "parameters are of the fields")
    return 0
}
