internal import HTTPWire
internal import Reactor

/// One client connection, or one stream of HTTP/2, in its loop's slab: plain data.
struct Downstream {
    var carrier: Carrier
    /// The index of its listener.
    var listener: Int32 = 0
    /// The client uses TLS.
    var isSecure = false
    private(set) var phase = DownstreamPhase.greeting
    /// The entry of the current exchange; -1: none.
    var exchange: Int32 = -1
    /// During an exchange the head stays at the front of the block, for a retry and for the log.
    var input = Block.none
    var output = Block.none
    /// Output that comes before `output` and that the client has not accepted yet.
    var backlog = BlockChain()
    /// Guards against a head or body that trickles in.
    var floor = RateFloor()
    /// The latest end of a head, regardless of progress; monotonic ns.
    var headDeadline = Int64.max
    /// The bytes in the kernel's send queue at the last check; -1: not checked yet.
    var unsent = -1
    /// How many consecutive checks the client has not read enough.
    var stalls: UInt8 = 0
    /// Where to continue searching for the end of the head.
    var headScan = 0
    /// Monotonic ns; `Int64.max`: none.
    var deadline = Int64.max

    /// An edge announced bytes to read, and no read has drained the socket since.
    var isReadable = true
    /// The client has finished sending, or has gone.
    var peerClosed = false
    /// Registered for write events, since a send was short.
    var wantsWrite = false
    /// HTTP/2: in the list of connections with something to send.
    var isUnsent = false
    /// No request was parsed yet: the HTTP/2 preface may come.
    var isFresh = true
    var keepAlive = true
    /// Whether writes have a deadline; in a tunnel the tunnel's covers both directions.
    var timesWrites = true

    /// The client's address; nil: a unix socket.
    var address: IPAddress?
    /// The peer is a trusted proxy.
    var isTrusted = false
    var peer: PeerText
    var affinity = ConnectionAffinity()

    init(_ carrier: Carrier, address: IPAddress?) {
        self.carrier = carrier
        self.address = address
        peer = PeerText(address, isSecure: false)
    }

    /// Moves the connection to its next phase, checked against the table of `DownstreamPhase`.
    mutating func move(to next: DownstreamPhase) {
        assert(phase.leads(to: next), "a client's connection goes from \(phase) to \(next)")
        phase = next
    }
}
