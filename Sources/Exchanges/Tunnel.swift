package import Backends
internal import HTTPWire

/// A connection that speaks another protocol behind a 101: two ways, each with an end of its own.
///
/// Times are those of the monotonic clock, in nanoseconds.
package struct Tunnel: Sendable {
    /// One way through the tunnel, by what its sender has done.
    package enum Way: Equatable, Sendable {
        case open
        /// The sender has finished, or is gone; what it said may still be on its way.
        case ended
        /// Everything has gone out, and the receiver knows that it was all.
        case told
    }

    /// How far a WebSocket's client has been told that the program ends.
    package enum Closing: Equatable, Sendable {
        case no
        /// A close frame goes out between two others; the tunnel ends at the given time in any case.
        case wanted(by: Int64)
        case sent(by: Int64)
    }

    /// The session's lease is renewed at most this often, however much passes.
    private static let leaseRenewal: Int64 = 1_000_000_000
    /// How long a WebSocket's client has to answer a close frame (RFC 6455 section 7.1.1).
    package static let closingHandshake = Interval.seconds(5)

    /// The request asked for a WebSocket: pings are told from payload.
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

    /// Both sides have ended, and each knows it of the other.
    package var isOver: Bool { toProcess == .told && toClient == .told }

    /// The client has finished sending, or has gone.
    package mutating func clientEnded() {
        if toProcess == .open { toProcess = .ended }
    }

    /// The process has finished sending, or has gone.
    package mutating func processEnded() {
        if toClient == .open { toClient = .ended }
    }

    /// All that has come of the client is on its way: whether the process is to see the end now; once.
    package mutating func endsToProcess() -> Bool {
        guard toProcess == .ended else { return false }
        toProcess = .told
        return true
    }

    /// All that has come of the process is on its way: whether the client is to see the end now; once.
    package mutating func endsToClient() -> Bool {
        guard toClient == .ended else { return false }
        toClient = .told
        return true
    }

    /// Bytes pass to the process: whether they renew the lease, as a sign of life of the user.
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

    /// The program ends, and the client of a WebSocket is to be told; false: it is already, or cannot be.
    package mutating func close(now: Int64) -> Bool {
        guard isWebSocket, closing == .no else { return false }
        closing = .wanted(by: now &+ Self.closingHandshake.nanoseconds)
        return true
    }

    /// Whether the close frame may go out now, as nothing waits for the client; once.
    ///
    /// The client's answer passes to the process, which so learns that its peer goes away; what the
    /// process still sends is dropped, for nothing may follow a close frame.
    ///
    /// - Parameter isLast: The program ends now, whether or not the client was to be told.
    package mutating func sendsClose(now: Int64, isLast: Bool = false) -> Bool {
        let by: Int64
        switch closing {
        case .no:
            guard isLast else { return false }
            by = now
        case .wanted(let until): by = until
        case .sent: return false
        }
        guard isWebSocket, toClient != .told, fromProcess.isBetweenFrames else { return false }
        closing = .sent(by: by)
        return true
    }

    /// A close frame has gone out: what the process still sends is dropped.
    package var dropsToClient: Bool {
        if case .sent = closing { true } else { false }
    }

    /// When the tunnel ends unless a byte passes; after a close it ends in any case.
    package func deadline(after span: Interval, now: Int64) -> Int64 {
        let deadline = now &+ span.nanoseconds
        switch closing {
        case .no: return deadline
        case .wanted(let until), .sent(let until): return min(deadline, until)
        }
    }
}
