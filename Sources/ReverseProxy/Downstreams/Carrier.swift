/// What carries the bytes of a client's exchange: its own connection, or a stream of one.
enum Carrier {
    case connection(Transport)
    case stream(StreamReference)

    /// An HTTP/2 stream, by the connection that carries it.
    struct StreamReference {
        /// The index of the connection.
        let parent: Int32
        /// The stream's number.
        let number: Int32
    }

    @inline(__always)
    var isStream: Bool {
        if case .stream = self { true } else { false }
    }

    /// Whether the kernel can send it a file without passing through a block: a clear-text socket.
    var takesFiles: Bool {
        if case .connection(.clear) = self { true } else { false }
    }

    /// The connection's own transport, for what only connections do: greeting, TLS, moving.
    var transport: Transport {
        switch self {
        case .connection(let transport): transport
        case .stream: preconditionFailure("a stream has no transport of its own")
        }
    }
}
