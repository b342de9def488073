internal import Backends
internal import SessionAffinity

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
