/// Limits of one HTTP/2 connection; each bounds what a client can make this side hold or do.
package struct HTTP2Settings: Sendable {
    /// Streams that a client may have open at once (RFC 9113 section 5.1.2); at least 1.
    package var maxConcurrentStreams: UInt32 = 100
    /// Streams over the life of the connection, then it is drained as by `goAway`; 0: no limit.
    ///
    /// So that clients come back by themselves, to another balancer or loop perhaps.
    package var maxStreams = 0
    /// Bytes of request head, as the HTTP/1.1 request that it becomes.
    ///
    /// Of a longer one so much is handed on that the reader, whose limit is the same, answers 431 or
    /// 414 as it does for HTTP/1.1.
    package var maxHeaderListSize = 32 * 1024
    /// Bytes of a request body that may wait for the reader of one stream.
    package var streamWindow: Int32 = 128 * 1024
    /// Bytes of request bodies that may wait on the whole connection; several times a stream's.
    ///
    /// A stalled stream keeps one window's worth of it from the others.
    package var connectionWindow: Int32 = 1024 * 1024
    /// Bytes of a response that may wait for the client on one stream.
    package var outputLimit = 64 * 1024
    /// Points of misbehaviour that close the connection; see `HTTP2Glitches`.
    package var glitchLimit = 1000
    /// Points forgotten with each second.
    package var glitchesForgottenPerSecond = 50

    /// Default values.
    package init() {}
}

/// What has happened on a stream, told once each time.
package enum HTTP2Event: Equatable, Sendable {
    /// A request has come; its bytes can be read.
    case opened(Int32)
    /// There is more to read, or the end, after a read that would have blocked.
    case readable(Int32)
    /// There is room again after a write that was not taken whole.
    case writable(Int32)
    /// The client gave the stream up, or it broke a rule; nothing is to be read or written any more.
    case reset(Int32)
}

/// What came of reading a stream.
package enum HTTP2Read: Equatable, Sendable {
    /// So many bytes were put into the room.
    case moved(Int)
    /// Nothing now; `readable` follows.
    case wouldBlock
    /// The client has ended its side of the stream, and all was read.
    case end
    /// As the event.
    case reset
}

/// How the connection stands after bytes were received.
package enum HTTP2Progress: Equatable, Sendable {
    case ok
    /// No more is to be received: what is due is sent, a GOAWAY, and the connection is closed.
    case closed(HTTP2Problem)
}

/// Why a connection ends early.
package enum HTTP2Problem: Equatable, Sendable {
    /// The bytes do not begin as RFC 9113 section 3.4 says.
    case badPreface
    /// A connection error (RFC 9113 section 5.4.1).
    case protocolError
    /// Frames on a stream that the client had ended (RFC 9113 section 5.1).
    case streamClosed
    /// A head, or the preface, that did not come to its end in time.
    case slowHead
    /// More that costs this side work than an honest client sends: GOAWAY with ENHANCE_YOUR_CALM.
    case flood
    /// No memory was left.
    case outOfMemory

    /// The error code for GOAWAY (RFC 9113 section 7).
    var code: UInt32 {
        switch self {
        case .badPreface, .protocolError: 0x1
        case .streamClosed: 0x5
        case .slowHead: 0x0
        case .flood: 0xb
        case .outOfMemory: 0x2
        }
    }
}
