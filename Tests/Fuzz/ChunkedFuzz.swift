internal import HTTPWire

/// What a chunked body comes to.
private struct Decoded: Equatable {
    var data: [UInt8] = []
    var trailers: [UInt8] = []
    var consumed = 0
    var isEnded = false
    var isBad = false
}

/// Decodes bytes that come in pieces of at most `step`, as the data plane does.
private func decode(_ bytes: [UInt8], step: Int, limit: Int, holdsTrailers: Bool) -> Decoded {
    var decoder = BodyDecoder(.chunked, holdsTrailers: holdsTrailers)
    var result = Decoded()
    var available = min(step, bytes.count)
    var seen = 0
    while !decoder.isEnded {
        let start = result.consumed
        if start == available, available == bytes.count { return result }
        if start == available { available = min(bytes.count, available + step) }
        let event = decoder.next(bytes.span.extracting(start..<available), limit: limit)
        switch event {
        case .data(let consumed, let range):
            require(range.count <= limit, "data keeps the limit")
            require(range.upperBound <= consumed, "data is consumed with it")
            result.data += bytes[start + range.lowerBound..<start + range.upperBound]
            result.consumed += consumed
        case .needMore(let consumed):
            result.consumed += consumed
            let new = holdsTrailers ? 0 : decoder.trailerLength - seen
            result.trailers += bytes[result.consumed - new..<result.consumed]
            seen = decoder.trailerLength
            if holdsTrailers, result.consumed < available {
                require(available - result.consumed <= 4096, "what is held is bounded")
            }
            if available == bytes.count { return result }
            available = min(bytes.count, available + step)
        case .end(let consumed):
            result.consumed += consumed
            let new = decoder.trailerLength - (holdsTrailers ? 0 : seen)
            result.trailers += bytes[result.consumed - new..<result.consumed]
            result.isEnded = true
        case .bad:
            return Decoded(isBad: true)
        }
        require(result.consumed <= available, "no more is consumed than there is")
    }
    return result
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    var dice = InputDice(bytes)
    let whole = decode(bytes, step: max(1, bytes.count), limit: .max, holdsTrailers: false)
    for holdsTrailers in [true, false] {
        for step in [1, 1 + dice.roll(16), 1 + dice.roll(bytes.count)] {
            let pieces = decode(
                bytes, step: step, limit: 1 + dice.roll(40), holdsTrailers: holdsTrailers)
            require(pieces.isBad == whole.isBad, "pieces are refused like the whole")
            require(pieces.isEnded == whole.isEnded, "pieces end like the whole")
            require(pieces.data == whole.data, "pieces hold what the whole does")
            if whole.isEnded { require(pieces == whole, "pieces are the whole") }
        }
    }
    guard whole.isEnded else { return 0 }
    let out = written { sink in
        BodyFrame.write(whole.data.span, chunked: true, into: &sink)
        BodyFrame.writeEnd(trailers: whole.trailers.span, into: &sink)
    }
    guard let out else { return 0 }
    let again = decode(out, step: out.count, limit: .max, holdsTrailers: true)
    require(again.isEnded && again.data == whole.data, "what is framed again is the same")
    require(again.consumed == out.count, "and nothing is behind it")
    let twice = written { BodyFrame.writeEnd(trailers: again.trailers.span, into: &$0) }
    require(twice.map { out.suffix($0.count) == $0[...] } == true, "clean trailers stay")
    return 0
}
