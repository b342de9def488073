internal import Backends
internal import HTTPWire
internal import SessionAffinity

/// The facts of one request that the access log shows, apart from what it shows of the head.
struct LogEntry {
    /// Who asked, as the log shows it.
    var client: PeerText
    /// The client is known by no address: it came over a unix socket.
    var isAnonymous = false
    /// A stream's request line is one that was made for it: the client spoke HTTP/2.
    var isStream = false
    /// After a 101: bytes of the client are counted too.
    var isTunnel = false
    var status: UInt16 = 0
    var bytesToClient: UInt64 = 0
    var bytesFromClient: UInt64 = 0
    /// Monotonic ns; 0 for what has not happened.
    var startedAt: Int64 = 0
    var grantedAt: Int64 = 0
    var firstByteAt: Int64 = 0
    var endedAt: Int64 = 0
    /// The index of its group; -1: the request got as far as no group.
    var group: Int = -1
    /// The label of its process; nil: the request was given to none.
    var process: InlineText<40>?
    var session: SessionID?
    var verdict = Verdict.none
    /// What was done with the session; nil: the request got as far as no process.
    var action: StaticString?
    /// The id that the request was given here; nil: it brought one, or has none.
    var generatedID: GeneratedID?
}
