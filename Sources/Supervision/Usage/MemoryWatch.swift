/// When the memory of the processes is looked at, and whether the kernel kills for want of it.
struct MemoryWatch {
    private static let period: Int64 = 2_000_000_000

    var kills = MemoryKills()
    /// When the next look is due, if any process has a limit.
    private(set) var checkAt: Int64 = 0

    /// Whether it is time to look; the next time follows.
    mutating func isDue(now: Int64) -> Bool {
        guard checkAt <= now else { return false }
        checkAt = now + Self.period
        return true
    }
}
