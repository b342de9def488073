internal import Backends
internal import HTTPWire
internal import Reactor
internal import SessionAffinity

/// One client connection, or one stream of HTTP/2, in its loop's slab: plain data.
struct Downstream {
    var carrier: Carrier
    /// The place of the listener that it came from.
    var listener: Int32 = 0
    /// The client is on TLS.
    var isSecure = false
    private(set) var phase = DownstreamPhase.greeting
    /// The place of the exchange under way; -1: none.
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

/// A short text that lives inside a plain value: the client's address, pre-rendered fields.
struct InlineText<let capacity: Int> {
    private(set) var bytes = InlineArray<capacity, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Cut at the capacity.
    init(_ text: String) {
        for byte in text.utf8 {
            if count == capacity { break }
            bytes[count] = byte
            count += 1
        }
    }

    /// Where the text is in `bytes`.
    var range: Range<Int> { 0..<count }
}

/// Who is at the other end: for the log, and as the fields that a backend is told.
struct PeerText {
    private(set) var host = InlineArray<40, UInt8>(repeating: 0)
    private(set) var hostCount = 0
    /// `X-Forwarded-For` and `X-Forwarded-Proto`, each with its CRLF.
    private(set) var fields = InlineArray<112, UInt8>(repeating: 0)
    private(set) var fieldCount = 0

    /// - Parameter address: nil: a unix socket, which has none to tell (RFC 7239 section 6.3).
    init(_ address: IPAddress?, isSecure: Bool) {
        hostCount = Self.fill(&host) { sink in
            if let address {
                address.write(into: &sink)
            } else {
                sink.append("unknown")
            }
        }
        fieldCount = Self.fill(&fields) { sink in
            SenderLines.write(client: address, isSecure: isSecure, into: &sink)
        }
    }

    private static func fill<let size: Int>(
        _ bytes: inout InlineArray<size, UInt8>, _ write: (inout ByteSink) -> Void
    ) -> Int {
        var span = bytes.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            write(&sink)
            return sink.count
        }
    }
}

/// What a connection remembers of its cookie, so that a value is verified (or made) once.
struct ConnectionAffinity {
    /// The cookie bytes last verified and what came of it.
    var known = InlineArray<56, UInt8>(repeating: 0)
    var knownVerdict = Verdict.none
    var knownToken = Token(issued: 0, sessionHigh: 0, sessionLow: 0, process: 0)
    /// The affinity index that the value was verified for; -1: nothing remembered.
    var knownCodec: Int32 = -1
    /// Wall seconds of the verification: an old one is made again, for the token's age.
    var knownAt: UInt32 = 0

    /// The cookie bytes last made, for this token and codec.
    var minted = InlineArray<56, UInt8>(repeating: 0)
    var mintedToken = Token(issued: 0, sessionHigh: 0, sessionLow: 0, process: 0)
    var mintedCodec: Int32 = -1

    /// The exchange that is to begin the session for the others of its connection; -1: none.
    var leader: Int32 = -1

    /// A request on it came by way of a proxy: it carries many users'.
    var isShared = false

    /// The pin that a browser's first requests share, until the given time (monotonic ns).
    var provisional: Provisional?

    struct Provisional {
        var session: SessionID
        var process: Incarnation
        var group: Int32
        var visitor: UInt64
        var until: Int64
    }
}
