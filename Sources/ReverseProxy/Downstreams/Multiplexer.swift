internal import HTTPWire

/// One client's HTTP/2 connection: its frames, and its streams as downstreams.
final class Multiplexer {
    let connection: HTTP2Connection
    /// Entries by stream id.
    var entries: [Int32: Int] = [:]
    /// No more frames are read: pending output is sent, then the connection is closed.
    var isClosing = false
    /// The incomplete head, as numbered by the connection; nil: none.
    var openHead: Int?
    /// The deadline of the connection, apart from that of a late head; monotonic ns.
    var deadline = Int64.max

    init(_ connection: HTTP2Connection) { self.connection = connection }
}
