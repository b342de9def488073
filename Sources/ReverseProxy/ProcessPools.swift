internal import Backends
internal import Reactor

/// One loop's idle connections to each process, and where each process is.
///
/// A last-in-first-out list per process, linked through the slab: taking and putting back is a few
/// moves. When a place of the registry has a new tenant (another serial), the old one's idle
/// connections are orphaned and handed back to be closed.
struct ProcessPools {
    struct Pool {
        var process: ProcessHandle
        var address: SocketAddress
        /// The process's public name, for the access log.
        var label: InlineText<40>
        var idleHead: Int32 = -1
        var idleCount = 0
    }

    private var pools: [[Pool?]]

    init(groups: Int) { pools = Array(repeating: [], count: groups) }

    /// Makes room for groups that have been added.
    mutating func grow(groups: Int) {
        while pools.count < groups { pools.append([]) }
    }

    /// The pool of a process, if it is known by this serial.
    func contains(_ process: ProcessHandle, group: Int) -> Bool {
        let index = Int(process.index)
        return index < pools[group].count && pools[group][index]?.process == process
    }

    /// Makes a pool for a process; the idle connections of a former tenant, if any, come back.
    mutating func establish(
        _ process: ProcessHandle, group: Int, address: SocketAddress, label: String
    ) -> Int32 {
        let index = Int(process.index)
        while pools[group].count <= index { pools[group].append(nil) }
        let orphaned = pools[group][index]?.idleHead ?? -1
        pools[group][index] = Pool(
            process: process, address: address, label: InlineText(label))
        return orphaned
    }

    func address(of process: ProcessHandle, group: Int) -> SocketAddress? {
        contains(process, group: group) ? pools[group][Int(process.index)]?.address : nil
    }

    func label(of process: ProcessHandle, group: Int) -> InlineText<40>? {
        contains(process, group: group) ? pools[group][Int(process.index)]?.label : nil
    }

    /// Takes the connection that was put back last; nil: none is idle.
    mutating func take(
        _ process: ProcessHandle, group: Int, from upstreams: borrowing Slab<Upstream>
    ) -> Int? {
        guard contains(process, group: group) else { return nil }
        let head = pools[group][Int(process.index)]?.idleHead ?? -1
        guard head >= 0 else { return nil }
        unlink(Int(head), in: upstreams)
        return Int(head)
    }

    /// Puts a connection back; false: its process is gone and it is to be closed.
    mutating func put(_ place: Int, in upstreams: borrowing Slab<Upstream>) -> Bool {
        let group = Int(upstreams[place].group)
        let process = upstreams[place].process
        guard contains(process, group: group) else { return false }
        let index = Int(process.index)
        let head = pools[group][index]?.idleHead ?? -1
        upstreams[place].nextIdle = head
        upstreams[place].previousIdle = -1
        if head >= 0 { upstreams[Int(head)].previousIdle = Int32(truncatingIfNeeded: place) }
        pools[group][index]?.idleHead = Int32(truncatingIfNeeded: place)
        pools[group][index]?.idleCount += 1
        return true
    }

    /// Takes a connection out of the list it is in; one that was orphaned is in none.
    mutating func unlink(_ place: Int, in upstreams: borrowing Slab<Upstream>) {
        let group = Int(upstreams[place].group)
        let process = upstreams[place].process
        let next = upstreams[place].nextIdle
        let previous = upstreams[place].previousIdle
        if previous >= 0 { upstreams[Int(previous)].nextIdle = next }
        if next >= 0 { upstreams[Int(next)].previousIdle = previous }
        upstreams[place].nextIdle = -1
        upstreams[place].previousIdle = -1
        guard contains(process, group: group) else { return }
        let index = Int(process.index)
        if pools[group][index]?.idleHead == Int32(truncatingIfNeeded: place) {
            pools[group][index]?.idleHead = next
        }
        pools[group][index]?.idleCount -= 1
    }
}
