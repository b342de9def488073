internal import HTTPWire

/// Whether there is payload in bytes that come in pieces of at most `step`.
private func sawPayload(_ bytes: [UInt8], isMasked: Bool, step: Int) -> Bool {
    var frames = WebSocketFrames(isMasked: isMasked)
    var result = false
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + step)
        if frames.pass(bytes.span.extracting(start..<end)) { result = true }
        start = end
    }
    return result
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocket(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    var dice = InputDice(bytes)
    for isMasked in [true, false] {
        let whole = sawPayload(bytes, isMasked: isMasked, step: max(1, bytes.count))
        for step in [1, 1 + dice.roll(12), 1 + dice.roll(bytes.count)] {
            require(
                sawPayload(bytes, isMasked: isMasked, step: step) == whole,
                "pieces mean what the whole does")
        }
    }
    return 0
}
