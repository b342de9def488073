internal import HTTPWire

/// One client connection of HTTP/2: its frames, and the downstreams that are its streams.
final class Multiplexer {
    let connection: HTTP2Connection
    /// By stream.
    var entries: [Int32: Int] = [:]
    /// The frames are over: what is queued is sent, then the connection is closed.
    var isClosing = false
    /// The head that has begun and not ended, as the connection counts them; nil: none.
    var openHead: Int?
    /// When the connection ends but for a head that is late; monotonic ns.
    var deadline = Int64.max

    init(_ connection: HTTP2Connection) { self.connection = connection }
}
