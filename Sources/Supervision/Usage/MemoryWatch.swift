/// When to check the memory of the processes, and whether the OOM killer is active.
struct MemoryWatch {
    private static let period: Int64 = 2_000_000_000

    var kills = MemoryKills()
    /// When the next check is due, if any process has a limit.
    private(set) var checkAt: Int64 = 0

    /// Whether it is time to check; schedules the next time.
    mutating func isDue(now: Int64) -> Bool {
        guard checkAt <= now else { return false }
        checkAt = now + Self.period
        return true
    }
}
