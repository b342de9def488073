/// How the streams of a connection that are over have ended, as far as that matters for what still
/// comes on them (RFC 9113 section 5.1).
struct HTTP2PastStreams {
    /// What frames on a stream of before are.
    enum End: Equatable {
        /// This side has reset it: they may have been on their way, and are ignored.
        case resetHere
        /// A stream error: the client had given it up itself.
        case resetByClient
        /// A connection error: the client had ended it.
        case ended
        /// A connection error: the stream was passed over, and is closed by that.
        case neverOpened
    }

    /// Resets remembered; of older ones frames are taken for late ones.
    private static let remembered = 256
    private static let gapsRemembered = 8

    /// The highest stream that the client has opened.
    private(set) var highest: Int32 = 0
    private var gaps: [ClosedRange<Int32>] = []
    /// A ring: the streams' numbers, those that the client has reset negated.
    private var resets: [Int32] = []
    private var oldest = 0
    /// Up to here resets were forgotten.
    private var forgotten: Int32 = 0

    /// A client's stream is opened.
    mutating func noteOpened(_ id: Int32) {
        guard id > highest else { return }
        if id > highest + 2, gaps.count < Self.gapsRemembered {
            gaps.append(highest + 1...id - 1)
        }
        highest = id
    }

    mutating func noteReset(_ id: Int32, byClient: Bool) {
        // Errors of the connection itself are on stream 0. The first says why what follows comes.
        if id <= 0 { return }
        if resets.contains(id) || resets.contains(-id) { return }
        let entry = byClient ? -id : id
        if resets.count < Self.remembered {
            resets.append(entry)
        } else {
            forgotten = max(forgotten, abs(resets[oldest]))
            resets[oldest] = entry
            oldest = (oldest + 1) % Self.remembered
        }
    }

    /// How a stream up to `highest` that is not there any more has ended.
    func end(of id: Int32) -> End {
        if resets.contains(id) { return .resetHere }
        if resets.contains(-id) { return .resetByClient }
        if gaps.contains(where: { $0.contains(id) }) { return .neverOpened }
        return id <= forgotten ? .resetHere : .ended
    }
}
