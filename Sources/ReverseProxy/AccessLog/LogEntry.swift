internal import Backends
internal import HTTPWire
internal import SessionAffinity

/// The logged facts of one request, except those taken from the head.
struct LogEntry {
    /// The client, as logged.
    var client: PeerText
    /// The client has no address: it connected through a unix socket.
    var isAnonymous = false
    /// The request line of an HTTP/2 stream is generated.
    var isStream = false
    /// After a 101: the client's bytes are counted too.
    var isTunnel = false
    var status: UInt16 = 0
    var bytesToClient: UInt64 = 0
    var bytesFromClient: UInt64 = 0
    /// Monotonic ns; 0 for what has not happened.
    var startedAt: Int64 = 0
    var dequeuedAt: Int64 = 0
    var firstByteAt: Int64 = 0
    var endedAt: Int64 = 0
    /// The index of its group; -1: no group was selected.
    var group: Int = -1
    /// The label of its process; nil: no process was involved.
    var process: InlineText<40>?
    var session: SessionID?
    var verdict = Verdict.none
    /// What was done with the session, or that a file was sent; nil: neither was involved.
    var action: StaticString?
    /// The id that Mooring generated; nil: the request brought one, or has none.
    var generatedID: GeneratedID?
}
