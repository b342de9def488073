internal import Backends
internal import Reactor

/// One loop's idle connections to each process, and each process's address.
///
/// A LIFO list per process, linked through the slab: taking and returning a connection is a few
/// moves. When an entry of the registry has a new tenant (another serial), the old one's idle
/// connections are orphaned and returned to be closed.
@safe
struct ProcessPools: ~Copyable {
    private struct Pool {
        var process: ProcessHandle
        var address: SocketAddress
        /// The alternative address (`localhost`); nil: none.
        var other: SocketAddress?
        /// The process's public name, for the access log.
        var label: InlineText<40>
        var idleHead: Int32 = -1
        var habits = ConnectionHabits()
        /// The user that was found to own its port; nil: not checked yet.
        var listener: UInt32?
    }

    /// The index of the pool by group and entry of the registry; -1: none yet.
    private var places: [[Int32]]
    /// Plain values, modified in place; each stays with its entry of the registry for good.
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

    /// Whether a process is known under this serial.
    func contains(_ process: ProcessHandle, group: Int) -> Bool {
        find(process, group: group) != nil
    }

    /// Creates a pool for a process; returns the first of a former tenant's idle connections, if
    /// any.
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

    /// The other address of a process; nil: none.
    func otherAddress(of process: ProcessHandle, group: Int) -> SocketAddress? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].other
    }

    /// A process was found at its other address, which is tried first from now on.
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

    /// What is known about how the process keeps connections.
    func habits(of process: ProcessHandle, group: Int) -> ConnectionHabits? {
        guard let entry = find(process, group: group) else { return nil }
        return unsafe pools[entry].habits
    }

    /// The process has announced how long it keeps an idle connection; ns, 0: not announced.
    func noteAnnounced(_ span: Int64, by process: ProcessHandle, group: Int) {
        guard let entry = find(process, group: group) else { return }
        unsafe pools[entry].habits.announced = span
    }

    /// The process has closed a connection after it was idle for this long.
    func noteEnd(afterIdle span: Int64, of process: ProcessHandle, group: Int) {
        guard span >= ConnectionHabits.shortestPlausible, let entry = find(process, group: group)
        else { return }
        unsafe pools[entry].habits.shortestIdle = min(pools[entry].habits.shortestIdle, span)
    }

    /// Stops keeping connections of the process; false: it was distrusted already.
    func distrust(_ process: ProcessHandle, group: Int) -> Bool {
        guard let entry = find(process, group: group), unsafe !pools[entry].habits.isDistrusted
        else { return false }
        unsafe pools[entry].habits.isDistrusted = true
        return true
    }

    /// Takes the connection that was returned last; nil: none is idle.
    mutating func take(
        _ process: ProcessHandle, group: Int, from upstreams: borrowing Slab<Upstream>
    ) -> Int? {
        guard let pool = find(process, group: group) else { return nil }
        let head = unsafe Int(pools[pool].idleHead)
        guard head >= 0 else { return nil }
        unlink(head, from: pool, in: upstreams)
        return head
    }

    /// Returns a connection; false: its process is gone, or distrusted, and the caller must close
    /// it.
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

    /// Unlinks a connection from its list; an orphaned one is in none.
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

    /// The index of a process's pool, if it is known under this serial.
    @inline(__always)
    private func find(_ process: ProcessHandle, group: Int) -> Int? {
        let index = Int(process.index)
        guard index < places[group].count else { return nil }
        let entry = Int(places[group][index])
        // Compared by field: the generic `==` is not always optimised away.
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
    /// A connection closed earlier than this was not closed for being idle; ns.
    static let shortestPlausible: Int64 = 20_000_000

    /// How long it keeps an idle connection, as announced; ns, 0: not announced.
    var announced: Int64 = 0
    /// The shortest idle time after which it has closed one; ns.
    var shortestIdle = Int64.max
    /// It has sent bytes that belong to no request.
    var isDistrusted = false
}
