package import HTTPWire

/// The response's progress on its way to the client.
package enum ResponseState: Sendable {
    /// No final head has come from the process; counts the 1xx heads forwarded.
    ///
    /// Can transition to: streaming, tunnel, received.
    case awaitingHead(interimHeads: UInt8)
    /// The body is being forwarded.
    ///
    /// Can transition to: received.
    case streaming(Streaming)
    /// The complete response is here and the slot is returned; the client may still be reading.
    case received
    /// The process has switched protocols: bytes pass both ways until both sides have ended.
    case tunnel(Tunnel)

    /// The properties of a response whose body is being forwarded.
    package struct Streaming: Equatable, Sendable {
        /// How the client recognises the body's end.
        package var framing: ResponseFraming
        /// The process keeps its connection open after this response.
        package var keepsConnection: Bool
        /// The response has no end of its own, and its client reconnects after one.
        package var isEventStream: Bool

        package init(framing: ResponseFraming, keepsConnection: Bool, isEventStream: Bool) {
            self.framing = framing
            self.keepsConnection = keepsConnection
            self.isEventStream = isEventStream
        }
    }

    /// A state without its payload.
    package enum Phase: Sendable, CaseIterable {
        case awaitingHead, streaming, received, tunnel
    }

    /// The state without its payload.
    @inline(__always)
    package var phase: Phase {
        switch self {
        case .awaitingHead: .awaitingHead
        case .streaming: .streaming
        case .received: .received
        case .tunnel: .tunnel
        }
    }
}

extension ResponseState.Phase {
    /// The transition table: whether the next phase may follow this one.
    package func leads(to next: Self) -> Bool {
        switch self {
        case .awaitingHead:
            switch next {
            case .streaming, .tunnel, .received: true
            case .awaitingHead: false
            }
        case .streaming:
            switch next {
            case .received: true
            case .awaitingHead, .streaming, .tunnel: false
            }
        case .received, .tunnel: false
        }
    }
}
