/// Limits of one HTTP/2 connection; each bounds what a client can make this side store or do.
package struct HTTP2Settings: Sendable {
    /// Concurrent streams (RFC 9113 section 5.1.2); at least 1.
    package var maxConcurrentStreams: UInt32 = 100
    /// Streams over the life of the connection, after which it is drained as by `goAway`; 0: no
    /// limit.
    ///
    /// This makes clients reconnect, possibly to another balancer or loop.
    package var maxStreams = 0
    /// Bytes of request head, as the HTTP/1.1 request that it becomes.
    ///
    /// Enough of a longer one is passed on that the reader, whose limit is the same, answers 431 or
    /// 414 as for HTTP/1.1.
    package var maxHeaderListSize = 32 * 1024
    /// Bytes of a request body that may wait for the reader of one stream.
    package var streamWindow: Int32 = 128 * 1024
    /// Bytes of request bodies that may wait on the whole connection; several times a stream's.
    ///
    /// A stalled stream withholds one window's worth of it from the others.
    package var connectionWindow: Int32 = 1024 * 1024
    /// Bytes of a response that may wait for the client on one stream.
    package var outputLimit = 64 * 1024
    /// Points of misbehaviour at which the connection closes; see `HTTP2Glitches`.
    package var glitchLimit = 1000
    /// Points forgotten per second.
    package var glitchesForgottenPerSecond = 50

    /// Default values.
    package init() {}
}

/// An event of a stream, reported once.
package enum HTTP2Event: Equatable, Sendable {
    /// A request has arrived; its bytes can be read.
    case opened(Int32)
    /// After a read that would have blocked, there is more to read, or the end.
    case readable(Int32)
    /// After a write that was not accepted in full, there is room again.
    case writable(Int32)
    /// The client reset the stream, or broke a rule; it can no longer be read or written.
    case reset(Int32)
}

/// The result of reading a stream.
package enum HTTP2Read: Equatable, Sendable {
    /// The number of bytes moved to the buffer.
    case moved(Int)
    /// Nothing now; `readable` follows.
    case wouldBlock
    /// The client has ended its side of the stream, and all was read.
    case end
    /// The stream was reset.
    case reset
}

/// The state of the connection after bytes were received.
package enum HTTP2Progress: Equatable, Sendable {
    case ok
    /// No more bytes are accepted: send the pending output, including a GOAWAY, and close the
    /// connection.
    case closed(HTTP2Problem)
}

/// Why a connection ends early.
package enum HTTP2Problem: Equatable, Sendable {
    /// The bytes do not begin with the preface of RFC 9113 section 3.4.
    case badPreface
    /// A connection error (RFC 9113 section 5.4.1).
    case protocolError
    /// Frames on a stream that the client had ended (RFC 9113 section 5.1).
    case streamClosed
    /// A head, or the preface, was not completed in time.
    case slowHead
    /// The client causes more work than an honest client would: GOAWAY with ENHANCE_YOUR_CALM.
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
