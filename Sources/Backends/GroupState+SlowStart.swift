/// Slow start: a server that is new or back gets a growing share of sessions and slots.
extension GroupState {
    /// Nobody gains from a slow start of the only servers: it begins only where others have their
    /// whole share.
    mutating func beginSlowStart(of entry: UInt32) {
        let isAnyWhole = processes.indices.contains { index in
            index != Int(entry) && processes[index].phase.isReady
                && processes[index].standing == .serving
                && processes[index].share == SlowStart.whole
                && processes[index].server.probation == nil
        }
        guard policy.slowStart > .zero, isAnyWhole else { return }
        let start = SlowStart(policy.slowStart, now: now)
        processes[Int(entry)].server.slowStart = start
        processes[Int(entry)].share = start.share(at: now)
        touch(entry)
    }

    /// The share grows with the time.
    mutating func growShare(of entry: UInt32) {
        let index = Int(entry)
        guard var start = processes[index].server.slowStart, start.next <= now else { return }
        let share = start.share(at: now)
        start.advance(to: now)
        processes[index].share = share
        processes[index].server.slowStart = share == SlowStart.whole ? nil : start
    }
}
