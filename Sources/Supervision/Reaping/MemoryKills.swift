/// Whether the OOM killer is active: it may have sent a SIGKILL that this program has not sent.
///
/// The counter is that of the cgroup which holds the balancer and all its processes, if the memory
/// controller is enabled there (cgroups(7), `memory.events`), else the machine's (proc(5),
/// `vmstat`).
struct MemoryKills {
    private let files: [String]
    private var seen: UInt64

    /// - Parameter files: the candidate counter files; the first with a count is used.
    init(files: [String]) {
        self.files = files
        seen = Self.count(files) ?? 0
    }

    init() {
        let events = CgroupTree.ownDirectory().map { ["\($0)/memory.events"] } ?? []
        self.init(files: events + ["/proc/vmstat"])
    }

    /// Whether the count has risen since the last call, or since the beginning.
    mutating func haveRisen() -> Bool {
        guard let count = Self.count(files) else { return false }
        defer { seen = count }
        return count > seen
    }

    private static func count(_ files: [String]) -> UInt64? {
        for file in files {
            guard let text = ProcFile.text(file) else { continue }
            for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
                return UInt64(line.dropFirst("oom_kill ".count))
            }
        }
        return nil
    }
}
