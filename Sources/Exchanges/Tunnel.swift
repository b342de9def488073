package import Backends
internal import HTTPWire

/// A connection that speaks another protocol after a 101: two directions, each with its own end.
///
/// Times are monotonic, in nanoseconds.
package struct Tunnel: Sendable {
    /// One direction of the tunnel, by the state of its sender.
    package enum Way: Equatable, Sendable {
        case open
        /// The sender has finished, or is gone; its last bytes may still be in flight.
        case ended
        /// Everything was sent on, and the receiver has seen the end.
        case closed
    }

    /// The progress of closing a WebSocket because of a shutdown.
    package enum Closing: Equatable, Sendable {
        case no
        /// A close frame will be sent between two others; the tunnel ends at the given time in any
        /// case.
        case wanted(by: Int64)
        case sent(by: Int64)
    }

    /// The session's lease is renewed at most this often, regardless of traffic.
    private static let leaseRenewal: Int64 = 1_000_000_000
    /// How long a WebSocket's client may take to answer a close frame (RFC 6455 section 7.1.1).
    package static let closingHandshake = Interval.seconds(5)

    /// The request asked for a WebSocket, so pings can be distinguished from payload.
    package let isWebSocket: Bool
    /// The group has `tunnel_slots`.
    package var holdsSlot = false
    package private(set) var toProcess = Way.open
    package private(set) var toClient = Way.open
    package private(set) var closing = Closing.no
    private var leaseRenewedAt: Int64
    private var fromClient = WebSocketFrames(isMasked: true)
    private var fromProcess = WebSocketFrames(isMasked: false)

    package init(isWebSocket: Bool, now: Int64) {
        self.isWebSocket = isWebSocket
        leaseRenewedAt = now
    }

    /// Both sides have ended, and each has seen the other's end.
    package var isOver: Bool { toProcess == .closed && toClient == .closed }

    /// The client has finished sending, or is gone.
    package mutating func clientEnded() {
        if toProcess == .open { toProcess = .ended }
    }

    /// The process has finished sending, or is gone.
    package mutating func processEnded() {
        if toClient == .open { toClient = .ended }
    }

    /// All of the client's bytes were sent on: whether to close towards the process now; once.
    package mutating func endsToProcess() -> Bool {
        guard toProcess == .ended else { return false }
        toProcess = .closed
        return true
    }

    /// All of the process's bytes were sent on: whether to close towards the client now; once.
    package mutating func endsToClient() -> Bool {
        guard toClient == .ended else { return false }
        toClient = .closed
        return true
    }

    /// Bytes pass to the process: whether they renew the lease, as a sign that the user is active.
    package mutating func passes(toProcess bytes: Span<UInt8>, now: Int64) -> Bool {
        let hasPayload = isWebSocket ? fromClient.pass(bytes) : true
        return renewsLease(hasPayload, now)
    }

    /// Bytes pass to the client: whether they renew the lease.
    package mutating func passes(toClient bytes: Span<UInt8>, now: Int64) -> Bool {
        let hasPayload = isWebSocket ? fromProcess.pass(bytes) : true
        return renewsLease(hasPayload, now)
    }

    private mutating func renewsLease(_ hasPayload: Bool, _ now: Int64) -> Bool {
        guard hasPayload, now &- leaseRenewedAt >= Self.leaseRenewal else { return false }
        leaseRenewedAt = now
        return true
    }

    /// On shutdown, starts to close a WebSocket; false: it is closing already, or cannot be closed.
    package mutating func close(now: Int64) -> Bool {
        guard isWebSocket, closing == .no else { return false }
        closing = .wanted(by: now &+ Self.closingHandshake.nanoseconds)
        return true
    }

    /// Whether the close frame may be sent now, as nothing waits for the client; once.
    ///
    /// The client's answer passes to the process, which thereby learns that its peer is going away.
    /// What the process still sends is dropped, since nothing may follow a close frame.
    ///
    /// - Parameter isLast: whether the program exits now, even if no close was requested.
    package mutating func sendsClose(now: Int64, isLast: Bool = false) -> Bool {
        let by: Int64
        switch closing {
        case .no:
            guard isLast else { return false }
            by = now
        case .wanted(let until): by = until
        case .sent: return false
        }
        guard isWebSocket, toClient != .closed, fromProcess.isBetweenFrames else { return false }
        closing = .sent(by: by)
        return true
    }

    /// A close frame was sent: what the process still sends is dropped.
    package var dropsToClient: Bool {
        if case .sent = closing { true } else { false }
    }

    /// When the tunnel ends unless a byte passes; a closing tunnel ends in any case.
    package func deadline(after span: Interval, now: Int64) -> Int64 {
        let deadline = now &+ span.nanoseconds
        switch closing {
        case .no: return deadline
        case .wanted(let until), .sent(let until): return min(deadline, until)
        }
    }
}
