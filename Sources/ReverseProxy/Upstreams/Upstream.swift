internal import Backends
internal import Reactor

/// One connection to a process, in its loop's slab: plain data.
struct Upstream {
    /// Nil: there is none yet, as the process's backlog was full.
    var transport: Transport?
    /// How its process is spoken to.
    let codec = UpstreamCodec.http1
    let group: Int32
    let process: ProcessHandle
    private(set) var phase: UpstreamPhase
    /// The exchange that it carries; -1: none.
    var exchange: Int32
    var input = Block.none
    var output = Block.none
    var headScan = 0
    var deadline = Int64.max

    var isReadable = false
    var peerClosed = false
    var wantsWrite = false
    /// Carried an exchange before: it may turn out to be closed by the process meanwhile.
    var reused = false
    /// Of a process that does not listen at its first address.
    var isToOther = false
    /// Something of the present request has been handed to the kernel.
    var sentAny = false
    /// When it went into the pool.
    var idleSince: Int64 = 0
    /// Until when it is to be silent before it is used again; monotonic ns.
    var silentUntil: Int64 = 0
    /// The client's connection that alone may use it, since the process takes whoever speaks on it for
    /// the user who signed in; -1: anybody may.
    var owner: Int32 = -1
    /// Of the owner's last request on it.
    var grant: Grant?
    /// Neighbours in the pool of its process, or among those of its owner; -1: none.
    var nextIdle: Int32 = -1
    var previousIdle: Int32 = -1

    init(
        _ transport: Transport?, group: Int32, process: ProcessHandle, phase: UpstreamPhase,
        exchange: Int32
    ) {
        self.transport = transport
        self.group = group
        self.process = process
        self.phase = phase
        self.exchange = exchange
    }

    /// Takes the connection on to its next phase, by the table of `UpstreamPhase`.
    mutating func move(to next: UpstreamPhase) {
        assert(phase.leads(to: next), "a process's connection goes from \(phase) to \(next)")
        phase = next
    }
}
