internal import Glibc

/// A control group of one process and all its descendants (cgroups(7), version 2), by its
/// directory.
///
/// No controller is enabled, so the rule that inner groups hold no processes does not apply: the
/// balancer stays where it is, beside its children's groups.
struct Cgroup: Equatable, Sendable {
    let path: String

    var name: Substring { path.split(separator: "/").last ?? "" }

    /// A descriptor of the directory for the spawn, which the caller closes; nil when it has
    /// vanished.
    func openDirectory() -> Int32? {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }

    /// Kills every member at once, including pending forks (`cgroup.kill`, Linux 5.14).
    ///
    /// Older kernels require killing each member separately, which a process that forks all the
    /// time can outrun. Harmless without members.
    func kill() {
        if Self.write("1", to: "\(path)/cgroup.kill") { return }
        for pid in members() where pid > 1 { Glibc.kill(pid, SIGKILL) }
    }

    /// The pids of the members, including those of groups that the process has created below it.
    func members() -> [Int32] {
        allDirectories(below: path, depth: 0).flatMap { directory -> [Int32] in
            guard let text = ProcFile.text("\(directory)/cgroup.procs") else { return [] }
            return text.split(separator: "\n").compactMap { Int32($0) }
        }
    }

    /// The CPU time of its members so far, including exited ones, in nanoseconds; nil: unknown.
    var cpuTime: Int64? {
        guard let text = ProcFile.text("\(path)/cpu.stat") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("usage_usec ") {
            return Int64(line.dropFirst("usage_usec ".count)).map { $0 &* 1000 }
        }
        return nil
    }

    /// Removes it; false while members are still exiting.
    ///
    /// A missing one counts as removed.
    func remove() -> Bool {
        // Inner ones come after the one that contains them, so reverse the order.
        for directory in allDirectories(below: path, depth: 0).reversed() {
            if unsafe rmdir(directory) != 0 && errno != ENOENT { return false }
        }
        return true
    }

    /// Groups that a process has created below its own, up to a depth that no real program reaches.
    private func allDirectories(below directory: String, depth: Int) -> [String] {
        guard depth < 8 else { return [directory] }
        let inner = ProcFile.directories(directory).flatMap {
            allDirectories(below: "\(directory)/\($0)", depth: depth + 1)
        }
        return [directory] + inner
    }

    private static func write(_ text: String, to file: String) -> Bool {
        let descriptor = unsafe open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return unsafe text.withCString { bytes in
            unsafe Glibc.write(descriptor, bytes, strlen(bytes)) > 0
        }
    }
}

/// Mooring's own cgroup, below which it creates one for each process.
struct CgroupTree: Equatable, Sendable {
    private static let prefix = "mooring-"
    private static let longestGroupName = 64

    let path: String

    /// The directory of this program's cgroup; nil: no version 2 hierarchy.
    static func ownDirectory() -> String? {
        guard let mounts = ProcFile.text("/proc/self/mountinfo"),
            let memberships = ProcFile.text("/proc/self/cgroup")
        else { return nil }
        return directory(mountInfo: mounts, memberships: memberships)
    }

    /// Nil if no cgroup can be created: no version 2 hierarchy, or it is not writable.
    static func own() -> CgroupTree? {
        guard let path = ownDirectory(),
            // Moving a member requires write access to the common ancestor's list.
            unsafe access("\(path)/cgroup.procs", W_OK) == 0, unsafe access(path, W_OK) == 0
        else { return nil }
        return CgroupTree(path: path)
    }

    /// Creates the cgroup of a new process; nil on failure, which does not prevent its start.
    func make(group: String, label: String) -> Cgroup? {
        let cgroup = Cgroup(path: "\(path)/\(Self.name(group: group, label: label))")
        return unsafe mkdir(cgroup.path, 0o755) == 0 ? cgroup : nil
    }

    /// The cgroup of a process that an earlier balancer started; nil when it has none of its own.
    ///
    /// It may be in another place than a new one: that balancer may have run in another cgroup.
    static func holding(pid: Int32, group: String, label: String) -> Cgroup? {
        guard let mounts = ProcFile.text("/proc/self/mountinfo"),
            let memberships = ProcFile.text("/proc/\(pid)/cgroup"),
            let path = directory(mountInfo: mounts, memberships: memberships),
            path.split(separator: "/").last == Substring(name(group: group, label: label))
        else { return nil }
        return Cgroup(path: path)
    }

    /// Removes the cgroups of balancers that were killed; groups with members stay.
    ///
    /// - Returns: how many were removed.
    func removeLeftovers() -> Int {
        ProcFile.directories(path).count {
            $0.hasPrefix(Self.prefix) && Cgroup(path: "\(path)/\($0)").remove()
        }
    }

    private static func name(group: String, label: String) -> String {
        let kept = group.utf8.prefix(longestGroupName).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                byte
            default: UInt8(ascii: "_")
            }
        }
        return "\(prefix)\(String(decoding: kept, as: UTF8.self))-\(label)"
    }

    /// The directory of the version 2 cgroup in /proc/PID/cgroup, found by /proc/self/mountinfo;
    /// see cgroups(7) and proc(5).
    static func directory(mountInfo: String, memberships: String) -> String? {
        guard
            let own = memberships.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })?
                .dropFirst(3),
            // The member is outside of our cgroup namespace.
            !own.contains("/..")
        else { return nil }
        for line in mountInfo.split(separator: "\n") {
            // id parent device root point options [tags…] - type source options
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, dash + 1 < fields.count,
                fields[dash + 1] == "cgroup2", !fields[4].contains("\\")
            else { continue }
            let root = fields[3] == "/" ? "" : fields[3]
            guard own == root || own.hasPrefix("\(root)/") else { continue }
            let rest = own.dropFirst(root.count)
            return rest == "/" ? String(fields[4]) : "\(fields[4])\(rest)"
        }
        return nil
    }
}
