/// Requests in flight, averaged over the last ten to eleven seconds.
///
/// Time before the first change counts as idle, so a process that has just become ready must be
/// busy for a while before it counts as busy.
struct LoadAverage: Sendable {
    private static let second: Int64 = 1_000_000_000
    private static let window: Int64 = 10
    /// The complete seconds of the window and the current one.
    private static let ring = 11

    /// Request-nanoseconds of one second each.
    private var buckets = InlineArray<11, Int64>(repeating: 0)
    private var sum: Int64 = 0
    private var current = 0
    private var bucketStart: Int64
    private var settledAt: Int64
    private var level: Int64 = 0

    init(at now: MonotonicInstant) {
        bucketStart = now.nanoseconds
        settledAt = now.nanoseconds
    }

    /// Sets the number of requests in flight from now on.
    mutating func set(_ inFlight: Int, at now: MonotonicInstant) {
        settle(to: now.nanoseconds)
        level = Int64(inFlight)
    }

    /// Whether the average is above the given share of a number of slots.
    func isAbove(_ share: Double, of slots: Int, at now: MonotonicInstant) -> Bool {
        if now.nanoseconds > settledAt {
            var later = self
            later.settle(to: now.nanoseconds)
            return later.isAbove(share, of: slots)
        }
        return isAbove(share, of: slots)
    }

    private func isAbove(_ share: Double, of slots: Int) -> Bool {
        let span = Self.window * Self.second + (settledAt - bucketStart)
        return Double(sum) > share * Double(slots) * Double(span)
    }

    private mutating func settle(to now: Int64) {
        guard now > settledAt else { return }
        let behind = (now - bucketStart) / Self.second
        if behind > Int64(Self.ring) {
            // After a long silence the seconds before the window need not be filled in.
            bucketStart += (behind - Int64(Self.ring)) * Self.second
            settledAt = bucketStart
        }
        while now >= bucketStart + Self.second {
            add(until: bucketStart + Self.second)
            bucketStart = settledAt
            current = (current + 1) % Self.ring
            sum -= buckets[current]
            buckets[current] = 0
        }
        add(until: now)
    }

    private mutating func add(until instant: Int64) {
        let share = level * (instant - settledAt)
        buckets[current] += share
        sum += share
        settledAt = instant
    }
}
