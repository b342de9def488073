internal import Backends
internal import HTTPWire
internal import Reactor

/// One connection to a process, in its loop's slab: plain data.
struct Upstream {
    /// Nil: not connected yet, as the process's backlog was full.
    var transport: Transport?
    /// The process's protocol.
    let codec: UpstreamCodec
    let group: Int32
    let process: ProcessHandle
    private(set) var phase: UpstreamPhase
    /// The exchange that it carries; -1: none.
    var exchange: Int32
    var input = Block.none
    var output = Block.none
    var headScan = 0
    /// Of FastCGI: takes the records off what the process says.
    var records = FastCGIDecoder()
    /// Of FastCGI: the end of the request's body has been written.
    var inputIsEnded = false
    var deadline = Int64.max

    var isReadable = false
    var peerClosed = false
    var wantsWrite = false
    /// It carried an exchange before: the process may have closed it meanwhile.
    var reused = false
    /// It is a connection to the process's other address.
    var isToOther = false
    /// Part of the current request was handed to the kernel.
    var sentAny = false
    /// When it went into the pool.
    var idleSince: Int64 = 0
    /// Until then it must stay silent before it is reused; monotonic ns.
    var silentUntil: Int64 = 0
    /// The only client connection that may use it, because the process attributes its requests to
    /// the authenticated user; -1: any client may.
    var owner: Int32 = -1
    /// The grant of the owner's last request on it.
    var grant: Grant?
    /// Neighbours in the pool of its process, or in its owner's list; -1: none.
    var nextIdle: Int32 = -1
    var previousIdle: Int32 = -1

    init(
        _ transport: Transport?, _ codec: UpstreamCodec, group: Int32, process: ProcessHandle,
        phase: UpstreamPhase, exchange: Int32
    ) {
        self.codec = codec
        self.transport = transport
        self.group = group
        self.process = process
        self.phase = phase
        self.exchange = exchange
    }

    /// Moves the connection to its next phase, checked against the table of `UpstreamPhase`.
    mutating func move(to next: UpstreamPhase) {
        assert(phase.leads(to: next), "a process's connection goes from \(phase) to \(next)")
        phase = next
    }
}
