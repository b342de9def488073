/// What a group knows of an external server, besides what it knows of any process.
struct ServerRecord: Sendable {
    /// How often it went out of service since its last response.
    var outages = 0
    /// Consecutive requests that it failed.
    var failuresInARow = 0
    /// It is back after an outage and has not answered yet: its requests from before.
    var probation: Int?
    /// It was taken out for its answers, though it accepts connections.
    var isEjected = false
    /// Consecutive good, and consecutive bad, health checks.
    var goodChecks = 0
    var badChecks = 0
    /// Consecutive checks without any answer, and when they began.
    var silentChecks = 0
    var silentSince = MonotonicInstant(nanoseconds: 0)
    /// When it last answered a request.
    var answeredAt = MonotonicInstant(nanoseconds: .min)
    /// An administrator has taken it out of service.
    var isOut = false
    /// Its share grows to the whole; nil: it has that.
    var slowStart: SlowStart?
    var outagesTotal: UInt64 = 0
    var failedChecksTotal: UInt64 = 0
}

/// The growth of a server's share, in steps.
struct SlowStart: Equatable, Sendable {
    /// The whole share.
    static let whole = 256
    private static let steps: Int64 = 64

    private let began: MonotonicInstant
    private let span: Interval
    /// When the share grows next.
    private(set) var next: MonotonicInstant

    init(_ span: Interval, now: MonotonicInstant) {
        self.span = span
        began = now
        next = now + Self.step(of: span)
    }

    /// The share at a time, which is at least that of the first step.
    func share(at now: MonotonicInstant) -> Int {
        let passed = Double(max(0, (now - began).nanoseconds)) / Double(span.nanoseconds)
        let least = Self.whole / Int(Self.steps)
        return max(least, min(Self.whole, Int(passed * Double(Self.whole))))
    }

    func left(at now: MonotonicInstant) -> Interval { max(began + span - now, .zero) }

    mutating func advance(to now: MonotonicInstant) { next = now + Self.step(of: span) }

    private static func step(of span: Interval) -> Interval {
        Interval(nanoseconds: max(span.nanoseconds / steps, 1_000_000))
    }
}
