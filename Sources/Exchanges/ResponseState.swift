package import HTTPWire

/// How far the response of an exchange has come on its way to the client.
package enum ResponseState: Sendable {
    /// No final head has come from the process; so many 1xx heads were passed on.
    ///
    /// Can transition to: streaming, tunnel, received.
    case awaitingHead(interimHeads: UInt8)
    /// The body passes through. Can transition to: received.
    case streaming(Streaming)
    /// All of it is here, the slot is given back; the client may still be reading.
    case received
    /// The process has switched protocols: bytes pass both ways until both sides have ended.
    case tunnel(Tunnel)

    /// What is known of a response whose body passes through.
    package struct Streaming: Equatable, Sendable {
        /// How the client sees the body's end.
        package var framing: ResponseFraming
        /// The process keeps its connection after this response.
        package var keepsConnection: Bool
        /// The response has no end of its own, and its client asks again after one.
        package var isEventStream: Bool

        package init(framing: ResponseFraming, keepsConnection: Bool, isEventStream: Bool) {
            self.framing = framing
            self.keepsConnection = keepsConnection
            self.isEventStream = isEventStream
        }
    }

    /// A state without what belongs to it.
    package enum Phase: Sendable, CaseIterable {
        case awaitingHead, streaming, received, tunnel
    }

    /// The state without what belongs to it.
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
    /// The whole table: whether the next phase may follow on this one.
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
