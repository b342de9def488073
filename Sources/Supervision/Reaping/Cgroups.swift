/// The cgroups of processes: where they are created, and which remain to be removed.
struct Cgroups {
    private static let firstDelay: Int64 = 5_000_000
    private static let lastDelay: Int64 = 1_280_000_000

    /// Nil: none can be created here.
    let tree = CgroupTree.own()
    /// Cgroups of processes that are gone, whose members were killed and are still exiting.
    private var leaving: [Cgroup] = []
    /// When to try to remove those; nil: there are none, or they never exit.
    private(set) var repeatAt: Int64?
    private var delay = Cgroups.firstDelay

    var isEmpty: Bool { leaving.isEmpty }
    var count: Int { leaving.count }

    /// Kills its remaining members, and removes it as soon as they have exited.
    mutating func retire(_ cgroup: Cgroup, now: Int64) {
        cgroup.kill()
        if cgroup.remove() { return }
        leaving.append(cgroup)
        delay = Self.firstDelay
        repeatAt = now + delay
    }

    /// Removes those whose members have exited, if it is time to check.
    ///
    /// At growing intervals; what a stuck file system keeps alive is retried with the next one.
    mutating func removeEmptied(now: Int64) {
        guard let time = repeatAt, time <= now else { return }
        leaving.removeAll { $0.remove() }
        if leaving.isEmpty || delay > Self.lastDelay {
            repeatAt = nil
        } else if now < .max {
            repeatAt = now + delay
            delay *= 2
        }
    }
}
