/// The cgroups of processes: where they are made, and which are still to be removed.
struct Cgroups {
    private static let firstDelay: Int64 = 5_000_000
    private static let lastDelay: Int64 = 1_280_000_000

    /// Nil: none can be made here.
    let tree = CgroupTree.own()
    /// Of processes that are gone, with members that have been killed and are still ending.
    private var leaving: [Cgroup] = []
    /// When to try to remove those; nil: there are none, or they never end.
    private(set) var repeatAt: Int64?
    private var delay = Cgroups.firstDelay

    var isEmpty: Bool { leaving.isEmpty }
    var count: Int { leaving.count }

    /// Kills what is left in it, and removes it as soon as that has ended.
    mutating func retire(_ cgroup: Cgroup, now: Int64) {
        cgroup.kill()
        if cgroup.remove() { return }
        leaving.append(cgroup)
        delay = Self.firstDelay
        repeatAt = now + delay
    }

    /// Removes those whose members have ended, if it is time to look.
    ///
    /// Later each time; what a stuck file system keeps alive is tried again with the next one.
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
