internal import Backends
internal import HTTPWire

/// What a request's head tells its process beside what the client has sent.
struct HeadAdditions {
    /// Whose connection it is.
    var peer: PeerText
    /// What a trusted proxy says of the client; nil: nobody does.
    var origin: RequestOrigin?
    /// The session and how it fits its process.
    var grant: Grant?
    /// The id that the request was given here; nil: it has its own, or needs none.
    var requestID: GeneratedID?
    /// The trace that begins here, and the id of our part in it.
    var trace: (id: GeneratedID, span: UInt64)?
    /// The length of a body that came without one, and is known by now.
    var measuredLength: UInt64?
    /// Bytes of a body of unknown length that are stored, and follow the head.
    var storedBytes: UInt64 = 0
    /// What no server takes in a target goes escaped.
    var takesASCIIOnly = false
    var isUpgrade = false
    var isOverHTTP2 = false
    var expectsContinue = false
}
