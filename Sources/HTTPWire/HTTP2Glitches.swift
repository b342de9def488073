/// Counts events that are rare with honest clients, and forgets them over time: a leaky bucket of
/// points.
///
/// Every flood against HTTP/2 consists of frames that cost the receiver more than the sender:
/// CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset), CVE-2024-27316 (CONTINUATION),
/// CVE-2025-8671 (resets that the server is provoked to send). Each has a price here, and completed
/// exchanges pay it back, so a busy client that cancels now and then stays below the limit.
struct HTTP2Glitches {
    /// Prices in points.
    enum Price {
        /// RST_STREAM, for a known stream or not.
        static let reset = 2
        /// A malformed request, or any other stream error by the client.
        static let streamError = 5
        /// DATA without payload and without END_STREAM.
        static let emptyData = 5
        /// SETTINGS after the first.
        static let settings = 5
        static let ping = 1
        /// PRIORITY, PRIORITY_UPDATE; a number of octets of unknown frames; a useless
        /// WINDOW_UPDATE.
        static let other = 1
        static let continuation = 2
        /// A request head so long that it was cut.
        static let hugeHead = 5
    }

    private static let unknownPerPoint = 64
    /// Octets of in-flight bodies that the resets of many streams together excuse.
    private static let mostExcused = 16 * 1024 * 1024

    private let limit: Int
    /// The time in nanoseconds after which one point is forgotten.
    private let interval: Int64
    private var level = 0
    private var time: Int64 = 0
    /// WINDOW_UPDATE frames that the data sent so far justifies.
    private var windowUpdates = 1000
    /// Octets received outside frames of known types; the preface does not count.
    private var unknown = -24
    /// Octets that may still arrive on streams that this side has reset.
    private var excused = 0

    init(_ settings: HTTP2Settings) {
        limit = max(1, settings.glitchLimit)
        interval =
            1_000_000_000 / Int64(min(max(1, settings.glitchesForgottenPerSecond), 1_000_000))
    }

    /// The client has used up its points.
    var isOverrun: Bool { level > limit }

    /// Forgets points by elapsed time; harmless when the time goes backwards.
    mutating func advance(to now: Int64) {
        guard now > time else { return }
        let (elapsed, overflow) = now.subtractingReportingOverflow(time)
        let points = overflow ? Int64.max : elapsed / interval
        if points >= Int64(level) {
            level = 0
            time = now
        } else {
            level -= Int(points)
            time += points * interval
        }
    }

    mutating func add(_ price: Int) { level = min(level + price, limit + 1) }

    /// An exchange was completed normally.
    mutating func noteCompletion() {
        if level > 0, !isOverrun { level -= 1 }
    }

    /// A frame of a known type begins, with this many octets after its header.
    mutating func noteFrame(_ count: Int) { unknown -= count + 9 }

    /// Octets arrived, and their frames were noted; nghttp2 does not report frames that it skips.
    mutating func noteReceived(_ count: Int) {
        unknown += count
        if unknown > 0, excused > 0 {
            let late = min(unknown, excused)
            unknown -= late
            excused -= late
        }
        guard unknown >= Self.unknownPerPoint else { return }
        add(Price.other * (unknown / Self.unknownPerPoint))
        unknown %= Self.unknownPerPoint
    }

    /// This side has reset a stream, whose client may have sent as much as its window allowed.
    ///
    /// nghttp2 silently skips those DATA frames, as it does unknown types. The headers of frames of
    /// at least 36 octets are excused as well.
    mutating func noteResetSent(window: Int32) {
        excused = min(excused + Int(max(0, window)) * 5 / 4, Self.mostExcused)
    }

    /// A WINDOW_UPDATE is normal after data, and a glitch beyond that.
    mutating func noteWindowUpdate() {
        if windowUpdates > 0 { windowUpdates -= 1 } else { add(Price.other) }
    }

    /// One DATA frame was sent, which may be acknowledged in many small steps.
    mutating func noteDataSent(_ count: Int) {
        windowUpdates = min(windowUpdates + 4 + count / 256, 20_000)
    }
}
