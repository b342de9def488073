internal import Backends
internal import SessionAffinity

/// A connection's cache for its cookie, so that a value is verified (or signed) once.
struct ConnectionAffinity {
    /// The cookie bytes verified last, and the result.
    var known = InlineArray<56, UInt8>(repeating: 0)
    var knownVerdict = Verdict.none
    var knownToken = Token(issued: 0, sessionHigh: 0, sessionLow: 0, process: 0)
    /// The affinity index that the value was verified for; -1: nothing is cached.
    var knownCodec: Int32 = -1
    /// Wall seconds of the verification; repeated when old, because of the token's age.
    var knownAt: UInt32 = 0

    /// The cookie bytes signed last, for this token and codec.
    var minted = InlineArray<56, UInt8>(repeating: 0)
    var mintedToken = Token(issued: 0, sessionHigh: 0, sessionLow: 0, process: 0)
    var mintedCodec: Int32 = -1

    /// The exchange that will begin the session for the others of its connection; -1: none.
    var leader: Int32 = -1

    /// A request came through a proxy, so the connection carries several users.
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
