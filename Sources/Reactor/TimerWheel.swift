/// Deadlines of many owners by id, at most one each; a hashed timing wheel.
///
/// After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987), scheme 6. Deadlines
/// are rounded up to a tick; entries further away than one round wait for their round. Setting a
/// later deadline is free: owners store the deadline themselves and, when the entry fires early,
/// schedule it again. So a busy connection causes one move in many requests.
package struct TimerWheel: ~Copyable {
    /// The resolution: 64 ms.
    package static let tick: Int64 = 64_000_000
    private static let slots = 1024

    private var first: [Int32]
    private var next: [Int32]
    private var previous: [Int32]
    /// The tick of each id's entry; negative: none.
    private var ticks: [Int64]
    private var current: Int64
    private var entries = 0

    /// - Parameters:
    ///   - ids: Ids are 0 up to this number.
    ///   - now: The monotonic time in nanoseconds.
    package init(ids: Int, now: Int64) {
        first = Array(repeating: -1, count: Self.slots)
        next = Array(repeating: -1, count: ids)
        previous = Array(repeating: -1, count: ids)
        ticks = Array(repeating: -1, count: ids)
        current = now / Self.tick
    }

    /// Ensures that the id is reported at most a tick after the deadline; an earlier entry stays.
    package mutating func schedule(_ id: Int, at deadline: Int64) {
        let wanted = max(deadline / Self.tick + 1, current + 1)
        if ticks[id] >= 0 {
            if ticks[id] <= wanted { return }
            unlink(id)
        }
        link(id, at: wanted)
    }

    /// Removes the id's entry, if there is one.
    package mutating func cancel(_ id: Int) {
        if ticks[id] >= 0 { unlink(id) }
    }

    /// When `advance` should be called next; nil: nothing is scheduled.
    ///
    /// At most a second away while entries exist, so that no search over the wheel is needed.
    package var nextDeadline: Int64? {
        if entries == 0 { return nil }
        for step in 1...16 where first[slot(current + Int64(step))] >= 0 {
            return (current + Int64(step)) * Self.tick
        }
        return (current + 16) * Self.tick
    }

    /// Moves due ids into `due`, out of the wheel; the caller checks each and may schedule it
    /// again.
    package mutating func advance(to now: Int64, into due: inout [Int32]) {
        let target = now / Self.tick
        if entries == 0 {
            current = max(current, target)
            return
        }
        // After a long pause every slot is visited once, not every missed tick.
        let passes = min(target - current, Int64(Self.slots))
        guard passes > 0 else { return }
        for step in 1...passes {
            var id = first[slot(current + step)]
            while id >= 0 {
                let following = next[Int(id)]
                if ticks[Int(id)] <= target {
                    unlink(Int(id))
                    due.append(id)
                }
                id = following
            }
        }
        current = target
    }

    private func slot(_ tick: Int64) -> Int { Int(tick & Int64(Self.slots - 1)) }

    private mutating func link(_ id: Int, at tick: Int64) {
        let bucket = slot(tick)
        ticks[id] = tick
        next[id] = first[bucket]
        previous[id] = -1
        if first[bucket] >= 0 { previous[Int(first[bucket])] = Int32(truncatingIfNeeded: id) }
        first[bucket] = Int32(truncatingIfNeeded: id)
        entries += 1
    }

    private mutating func unlink(_ id: Int) {
        let bucket = slot(ticks[id])
        if previous[id] >= 0 {
            next[Int(previous[id])] = next[id]
        } else {
            first[bucket] = next[id]
        }
        if next[id] >= 0 { previous[Int(next[id])] = previous[id] }
        ticks[id] = -1
        entries -= 1
    }
}
