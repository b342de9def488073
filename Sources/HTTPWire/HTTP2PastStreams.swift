/// How the closed streams of a connection ended, which decides how to treat frames that still
/// arrive on them (RFC 9113 section 5.1).
struct HTTP2PastStreams {
    /// How a stream ended, and so what later frames on it mean.
    enum End: Equatable {
        /// This side has reset it: frames may have been in flight, and are ignored.
        case resetHere
        /// A stream error: the client had reset it itself.
        case resetByClient
        /// A connection error: the client had ended it.
        case ended
        /// A connection error: the client skipped the stream, which closes it.
        case neverOpened
    }

    /// The number of resets remembered; frames on older streams count as in flight.
    private static let remembered = 256
    private static let gapsRemembered = 8

    /// The highest stream that the client has opened.
    private(set) var highest: Int32 = 0
    private var gaps: [ClosedRange<Int32>] = []
    /// A ring of stream ids, negated if the client reset the stream.
    private var resets: [Int32] = []
    private var oldest = 0
    /// Resets up to this stream were forgotten.
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
        // Connection errors are on stream 0. The first reset explains the frames that follow.
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

    /// How a stream up to `highest` that no longer exists has ended.
    func end(of id: Int32) -> End {
        if resets.contains(id) { return .resetHere }
        if resets.contains(-id) { return .resetByClient }
        if gaps.contains(where: { $0.contains(id) }) { return .neverOpened }
        return id <= forgotten ? .resetHere : .ended
    }
}
