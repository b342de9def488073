/// The memory use of processes, for `max_memory`.
///
/// Proportional set size (PSS): pages shared by several processes count for each by its share, so
/// that forked workers are not charged several times for what their parent loaded.
enum MemoryUse {
    /// The PSS of all of them together, if it is above a limit; see smaps_rollup in proc(5).
    ///
    /// Resident memory is read first, which is cheap and never less: only if that is above the
    /// limit is the kernel asked to walk the pages. A process that cannot be read this way (another
    /// user's, or one that blocks its readers) counts with all of its resident memory.
    static func above(_ limit: Int64, pids: [Int32]) -> Int64? {
        let resident = pids.reduce(0) { $0 &+ (residentBytes(of: $1) ?? 0) }
        guard resident > limit else { return nil }
        let bytes = pids.reduce(0) {
            $0 &+ (proportionalBytes(of: $1) ?? residentBytes(of: $1) ?? 0)
        }
        return bytes > limit ? bytes : nil
    }

    static func residentBytes(of pid: Int32) -> Int64? {
        guard let text = ProcFile.text("/proc/\(pid)/statm") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
        return pages &* ProcessUsage.pageSize
    }

    /// How long the kernel may take for the pages of another user's process, in milliseconds.
    private static let patience = 250

    static func proportionalBytes(of pid: Int32) -> Int64? {
        let users = ProcessIdentity.users(of: pid)
        guard !users.isEmpty,
            let bytes = HoldableFiles.shared.bytes(
                "/proc/\(pid)/smaps_rollup", users: users, patience: patience)
        else { return nil }
        return proportionalBytes(rollup: String(decoding: bytes, as: UTF8.self))
    }

    /// The line `Pss:    1234 kB`.
    static func proportionalBytes(rollup: String) -> Int64? {
        for line in rollup.split(separator: "\n") where line.hasPrefix("Pss:") {
            let fields = line.split(separator: " ")
            guard fields.count == 3, fields[2] == "kB", let kilobytes = Int64(fields[1]),
                kilobytes <= .max / 1024
            else { return nil }
            return kilobytes * 1024
        }
        return nil
    }
}
