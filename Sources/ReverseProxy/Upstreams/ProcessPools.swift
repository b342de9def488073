internal import Backends
internal import Reactor

/// One loop's idle connections to each process, and where each process is.
///
/// A last-in-first-out list per process, linked through the slab: taking and putting back is a few
/// moves. When an entry of the registry has a new tenant (another serial), the old one's idle
/// connections are orphaned and handed back to be closed.
@safe
struct ProcessPools: ~Copyable {
    private struct Pool {
        var process: ProcessHandle
        var address: SocketAddress
        /// Where it may listen instead (`localhost`); nil: nowhere.
        var other: SocketAddress?
        /// The process's public name, for the access log.
        var label: InlineText<40>
        var idleHead: Int32 = -1
        var habits = ConnectionHabits()
        /// The user whom its port was found to belong to; nil: not looked at yet.
        var listener: UInt32?
    }

    /// Where the pool of an entry of the registry is, by group and entry; -1: nowhere yet.
    private var places: [[Int32]]
    /// Plain values, changed where they lie; each stays with its entry of the registry for good.
    private var pools: UnsafeMutablePointer<Pool>
    private var count = 0
    private var capacity = 16

    init(groups: Int) {
        places = Array(repeating: [], count: groups)
        unsafe pools = .allocate(capacity: 16)
    }

    deinit { unsafe pools.deallocate() }

    /// Makes room for groups that have been added.
    mutating func grow(groups: Int) {
        while places.count < groups { places.append([]) }
    }

    /// Whether a process is known by this serial.
    func contains(_ process: ProcessHandle, group: Int) -> Bool {
        find(process, group: group) != nil
    }

    /// Makes a pool for a process; the idle connections of a former tenant, if any, come back.
    mutating func establish(
        _ process: ProcessHandle, group: Int, address: SocketAddress, other: SocketAddress? = nil,
        label: String
    ) -> Int32 {
        let index = Int(process.index)
        while places[group].count <= index { places[group].append(-1) }
        let pool = Pool(
            process: process, address: address, other: other, label: InlineText(label))
        if places[group][index] < 0 {
            places[group][index] = Int32(truncatingIfNeeded: append(pool))
            return -1
        }
        let entry = Int(places[group][index])
        let orphaned = unsafe pools[entry].idleHead
        unsafe pools[entry] = pool
        return orphaned
    }

    func address(of process: ProcessHandle, group: Int) -> SocketAddress? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].address
    }

    /// Where a process may listen when it does not at its address; nil: nowhere.
    func otherAddress(of process: ProcessHandle, group: Int) -> SocketAddress? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].other
    }

    /// A process has been found at its other address, which is tried first from now on.
    mutating func preferOther(of process: ProcessHandle, group: Int) {
        guard let entry = find(process, group: group), let other = unsafe pools[entry].other else {
            return
        }
        unsafe pools[entry].other = pools[entry].address
        unsafe pools[entry].address = other
    }

    func listener(of process: ProcessHandle, group: Int) -> UInt32? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].listener
    }

    mutating func setListener(_ user: UInt32, of process: ProcessHandle, group: Int) {
        guard let entry = find(process, group: group) else { return }
        unsafe pools[entry].listener = user
    }

    func label(of process: ProcessHandle, group: Int) -> InlineText<40>? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].label
    }

    /// What is known of how the process keeps connections.
    func habits(of process: ProcessHandle, group: Int) -> ConnectionHabits? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].habits
    }

    /// The process says how long it keeps an idle connection; ns, 0: it does not say.
    func noteAnnounced(_ span: Int64, by process: ProcessHandle, group: Int) {
        guard let entry = find(process, group: group) else { return }
        unsafe pools[entry].habits.announced = span
    }

    /// The process has closed a connection after it was idle for so long.
    func noteEnd(afterIdle span: Int64, of process: ProcessHandle, group: Int) {
        guard span >= ConnectionHabits.shortestPlausible, let entry = find(process, group: group)
        else { return }
        unsafe pools[entry].habits.shortestIdle = min(pools[entry].habits.shortestIdle, span)
    }

    /// No connection of the process is kept from here on; false: none was already.
    func distrust(_ process: ProcessHandle, group: Int) -> Bool {
        guard let entry = find(process, group: group), unsafe !pools[entry].habits.isDistrusted
        else { return false }
        unsafe pools[entry].habits.isDistrusted = true
        return true
    }

    /// Takes the connection that was put back last; nil: none is idle.
    mutating func take(
        _ process: ProcessHandle, group: Int, from upstreams: borrowing Slab<Upstream>
    ) -> Int? {
        guard let pool = find(process, group: group) else { return nil }
        let head = unsafe Int(pools[pool].idleHead)
        guard head >= 0 else { return nil }
        unlink(head, from: pool, in: upstreams)
        return head
    }

    /// Puts a connection back; false: its process is gone, or not to be trusted, and it is to be closed.
    mutating func put(_ entry: Int, in upstreams: borrowing Slab<Upstream>) -> Bool {
        let group = Int(upstreams[entry].group)
        guard let pool = find(upstreams[entry].process, group: group),
            unsafe !pools[pool].habits.isDistrusted
        else { return false }
        let head = unsafe pools[pool].idleHead
        upstreams[entry].nextIdle = head
        upstreams[entry].previousIdle = -1
        if head >= 0 { upstreams[Int(head)].previousIdle = Int32(truncatingIfNeeded: entry) }
        unsafe pools[pool].idleHead = Int32(truncatingIfNeeded: entry)
        return true
    }

    /// Takes a connection out of the list it is in; one that was orphaned is in none.
    mutating func unlink(_ entry: Int, in upstreams: borrowing Slab<Upstream>) {
        let group = Int(upstreams[entry].group)
        unlink(entry, from: find(upstreams[entry].process, group: group), in: upstreams)
    }

    private mutating func unlink(
        _ entry: Int, from pool: Int?, in upstreams: borrowing Slab<Upstream>
    ) {
        let next = upstreams[entry].nextIdle
        let previous = upstreams[entry].previousIdle
        if previous >= 0 { upstreams[Int(previous)].nextIdle = next }
        if next >= 0 { upstreams[Int(next)].previousIdle = previous }
        upstreams[entry].nextIdle = -1
        upstreams[entry].previousIdle = -1
        guard let pool, unsafe pools[pool].idleHead == Int32(truncatingIfNeeded: entry) else {
            return
        }
        unsafe pools[pool].idleHead = next
    }

    /// Where the pool of a process is, if it is known by this serial.
    @inline(__always)
    private func find(_ process: ProcessHandle, group: Int) -> Int? {
        let index = Int(process.index)
        guard index < places[group].count else { return nil }
        let entry = Int(places[group][index])
        // Field by field: what is generic about == is not always compiled away.
        guard entry >= 0, unsafe pools[entry].process.serial == process.serial else { return nil }
        return entry
    }

    private mutating func append(_ pool: Pool) -> Int {
        if count == capacity {
            let larger = UnsafeMutablePointer<Pool>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: pools, count: count)
            unsafe pools.deallocate()
            unsafe pools = larger
            capacity *= 2
        }
        unsafe (pools + count).initialize(to: pool)
        count += 1
        return count - 1
    }
}

/// How a process treats connections between requests.
struct ConnectionHabits {
    /// One that is closed sooner than this was not closed for being idle; ns.
    static let shortestPlausible: Int64 = 20_000_000

    /// How long it keeps an idle connection, as it says; ns, 0: it does not say.
    var announced: Int64 = 0
    /// The shortest time after which it has closed an idle one; ns.
    var shortestIdle = Int64.max
    /// It has sent bytes that belong to no request.
    var isDistrusted = false
}
