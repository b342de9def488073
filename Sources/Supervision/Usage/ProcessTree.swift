internal import Glibc

/// A process with all its descendants, searched again at each call.
///
/// With a cgroup, its members. Otherwise those in its process group or session, descendants of
/// these, and processes of its user with its label in their environment.
struct ProcessTree {
    let leader: Int32
    let label: String
    let cgroup: Cgroup?

    init(_ process: ManagedProcess) {
        self.init(leader: process.child.pid, label: process.label, cgroup: process.cgroup)
    }

    init(leader: Int32, label: String, cgroup: Cgroup?) {
        self.leader = leader
        self.label = label
        self.cgroup = cgroup
    }

    /// The leader comes first.
    func members() -> [Int32] {
        if let cgroup { return [leader] + cgroup.members().filter { $0 != leader } }
        let kinships = ProcFile.entries("/proc").compactMap { Int32($0).flatMap(Kinship.init) }
        var members: Set<Int32> = [leader]
        for kin in kinships where kin.group == leader || kin.session == leader {
            members.insert(kin.pid)
        }
        // Those that have left both, whose parents may have exited.
        let own = getsid(0)
        let user = ProcessIdentity.user(of: leader)
        for kin in kinships where kin.pid == kin.session || kin.parent == getpid() {
            guard kin.session != own, !members.contains(kin.pid),
                ProcessIdentity.label(of: kin.pid) == label,
                // Any process can put anything into its own environment.
                user == 0 || ProcessIdentity.user(of: kin.pid) == user
            else { continue }
            members.insert(kin.pid)
        }
        var hasGrown = true
        while hasGrown {
            let count = members.count
            for kin in kinships where members.contains(kin.parent) { members.insert(kin.pid) }
            hasGrown = members.count > count
        }
        return [leader] + members.filter { $0 != leader }
    }

    /// Whether a member has a socket open; nil: not all could be checked.
    func holds(socket inode: UInt64) -> Bool? {
        let name = "socket:[\(inode)]"
        var budget = Self.mostDescriptors
        var hasSeenAll = true
        // Usually it is the leader, and finding the other members is slow.
        switch Self.has(name, pid: leader, budget: &budget) {
        case true: return true
        case false: break
        case nil: hasSeenAll = false
        }
        for member in members() where member != leader {
            switch Self.has(name, pid: member, budget: &budget) {
            case true: return true
            case false: break
            case nil: hasSeenAll = false
            }
        }
        return hasSeenAll ? false : nil
    }

    /// The inodes of the sockets that its members have open, as far as they are readable; nil: none
    /// are.
    func sockets() -> Set<UInt64>? {
        var inodes: Set<UInt64> = []
        var budget = Self.mostDescriptors
        var canLook = false
        for member in members() {
            let isWhole = Self.eachLink(pid: member, budget: &budget) { target in
                if let inode = Self.socketInode(target) { inodes.insert(inode) }
                return true
            }
            if isWhole != nil { canLook = true }
        }
        return canLook ? inodes : nil
    }

    /// Parses `socket:[INODE]`.
    private static func socketInode(_ target: ArraySlice<CChar>) -> UInt64? {
        let text = String(decoding: target.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("socket:["), text.hasSuffix("]") else { return nil }
        return UInt64(text.dropFirst(8).dropLast())
    }

    /// The limit of descriptors checked: opening more does not take more of this thread's time.
    private static let mostDescriptors = 16 * 1024

    /// Whether one process has a socket open; nil: it cannot be looked at.
    static func has(socket inode: UInt64, pid: Int32) -> Bool? {
        var budget = mostDescriptors
        return has("socket:[\(inode)]", pid: pid, budget: &budget)
    }

    private static func has(_ name: String, pid: Int32, budget: inout Int) -> Bool? {
        let wanted = name.utf8.map { CChar(bitPattern: $0) }
        var isThere = false
        let isWhole = eachLink(pid: pid, budget: &budget) { target in
            isThere = target.elementsEqual(wanted)
            return !isThere
        }
        return isThere ? true : isWhole.flatMap { $0 ? false : nil }
    }

    /// Visits the descriptors of a process, until `body` has seen enough.
    ///
    /// - Returns: whether all were visited; nil: none may be.
    private static func eachLink(
        pid: Int32, budget: inout Int, _ body: (ArraySlice<CChar>) -> Bool
    ) -> Bool? {
        let path = "/proc/\(pid)/fd"
        guard let directory = unsafe opendir(path) else {
            // A process that has exited has none.
            return errno == ENOENT ? true : nil
        }
        defer { unsafe closedir(directory) }
        let descriptor = unsafe dirfd(directory)
        var target = [CChar](repeating: 0, count: 64)
        while let entry = unsafe readdir(directory) {
            budget -= 1
            if budget < 0 { return false }
            let file = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe Array(bytes.bindMemory(to: CChar.self))
            }
            let length = unsafe readlinkat(descriptor, file, &target, target.count)
            if length > 0, !body(target.prefix(length)) { break }
        }
        return true
    }
}

/// The relations of a process, from /proc/PID/stat.
private struct Kinship {
    let pid: Int32
    let parent: Int32
    let group: Int32
    let session: Int32

    init?(_ pid: Int32) {
        guard let stat = ProcFile.text("/proc/\(pid)/stat"),
            let nameEnd = stat.lastIndex(of: ")")
        else { return nil }
        // state(3) ppid pgrp session
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 3, let parent = Int32(fields[1]), let group = Int32(fields[2]),
            let session = Int32(fields[3])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.group = group
        self.session = session
    }
}
