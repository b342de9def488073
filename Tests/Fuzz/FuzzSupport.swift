internal import HTTPWire

/// Numbers for a run that depend on its input alone, so that a finding repeats itself.
struct InputDice {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    init(_ bytes: [UInt8]) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }

    /// One of `0..<count`.
    mutating func roll(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(1, count)
    }
}

/// The bytes of a run; libFuzzer's memory is left alone afterwards.
func input(_ data: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: data, count: count))
}

/// What is written into a sink; nil: it did not fit.
func written(capacity: Int = 1 << 18, _ write: (inout ByteSink) -> Void) -> [UInt8]? {
    unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        var sink = unsafe ByteSink(buffer)
        write(&sink)
        count = sink.overflowed ? 0 : sink.count
    }.nonEmpty
}

extension Array {
    fileprivate var nonEmpty: [Element]? { isEmpty ? nil : self }
}

/// A property that does not hold: libFuzzer reports the crash with its input.
func require(_ holds: Bool, _ property: StaticString) {
    if !holds { fatalError("\(property)") }
}

/// What parsing comes to when the bytes trickle in, in pieces by chance.
///
/// It must be what parsing all at once comes to; a refusal may come sooner, with another reason.
func requireSameInPieces(
    _ bytes: [UInt8], _ whole: HeadParse, headLength: Int,
    _ parse: (Span<UInt8>, inout Int) -> HeadParse
) {
    var dice = InputDice(bytes)
    var scan = 0
    var count = 0
    let longest = 1 + dice.roll(bytes.count)
    while true {
        let result = parse(bytes.span.extracting(0..<count), &scan)
        switch (result, whole) {
        case (.incomplete, .incomplete), (.incomplete, .rejected):
            require(
                count < bytes.count || whole == .incomplete, "pieces are refused like the whole")
        case (.incomplete, .complete):
            require(count < headLength, "a head that is here is found")
        case (.complete, .complete):
            require(count >= headLength, "a head is complete when it is here")
            return
        case (.rejected, .rejected): return
        case (.complete, _), (.rejected, _):
            fatalError("pieces give what the whole does not")
        }
        if count == bytes.count { return }
        count = min(bytes.count, count + 1 + dice.roll(longest))
    }
}
