internal import Backends
internal import HTTPWire

/// The information that a request's head carries to its process in addition to the client's.
struct HeadAdditions {
    /// The peer of the connection.
    var peer: PeerText
    /// A trusted proxy's statements about the client; nil: there are none.
    var origin: RequestOrigin?
    /// The session, and its relation to the process.
    var grant: Grant?
    /// The id that Mooring generated for the request; nil: it has its own, or needs none.
    var requestID: GeneratedID?
    /// The trace that starts here, and the id of Mooring's span.
    var trace: (id: GeneratedID, span: UInt64)?
    /// The length of a body that came without one, now known.
    var measuredLength: UInt64?
    /// The stored bytes of a body of unknown length that follow the head.
    var storedBytes: UInt64 = 0
    /// Whether to escape what no server accepts in a target.
    var takesASCIIOnly = false
    /// A line of the head that is sent without what stands behind the range; empty: none.
    var sessionLine = ByteRange.empty
    var isUpgrade = false
    var isOverHTTP2 = false
    var expectsContinue = false
}
