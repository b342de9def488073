internal import HTTPWire
internal import Reactor

/// One client connection, or one stream of HTTP/2, in its loop's slab: plain data.
struct Downstream {
    var carrier: Carrier
    /// The index of the listener that it came from.
    var listener: Int32 = 0
    /// The client is on TLS.
    var isSecure = false
    private(set) var phase = DownstreamPhase.greeting
    /// The entry of the exchange under way; -1: none.
    var exchange: Int32 = -1
    /// In an exchange the head stays at the front of the block, for a retry and for the log.
    var input = Block.none
    var output = Block.none
    /// What was to be sent before `output`, and the client has not taken yet.
    var backlog = BlockChain()
    /// Against a head or body that trickles in.
    var floor = RateFloor()
    /// The latest end of a head, whatever comes of it; monotonic ns.
    var headDeadline = Int64.max
    /// What the kernel still held for the client when that was last looked at; -1: not yet.
    var unsent = -1
    /// How often in a row the client had not taken enough since the last look.
    var stalls: UInt8 = 0
    /// Where to go on looking for the end of the head.
    var headScan = 0
    /// Monotonic ns; `Int64.max`: none.
    var deadline = Int64.max

    /// An edge said that there is something to read, and no read has found the end of it yet.
    var isReadable = true
    /// The client has finished sending, or has gone.
    var peerClosed = false
    /// Registered for writing, since a send was short.
    var wantsWrite = false
    /// Of HTTP/2: in the list of those that have something to send.
    var isUnsent = false
    /// No request has been parsed yet: the preface of HTTP/2 may come.
    var isFresh = true
    var keepAlive = true
    /// What is sent has its time; in a tunnel the tunnel's covers both ways.
    var timesWrites = true

    /// Whose connection it is; nil: on a unix socket.
    var address: IPAddress?
    /// What it says of its clients is believed.
    var isTrusted = false
    var peer: PeerText
    var affinity = ConnectionAffinity()

    init(_ carrier: Carrier, address: IPAddress?) {
        self.carrier = carrier
        self.address = address
        peer = PeerText(address, isSecure: false)
    }

    /// Takes the connection on to its next phase, by the table of `DownstreamPhase`.
    mutating func move(to next: DownstreamPhase) {
        assert(phase.leads(to: next), "a client's connection goes from \(phase) to \(next)")
        phase = next
    }
}
