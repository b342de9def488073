/// Sessions and tunnels, as responses decide about them.
extension Group {
    /// Starts a session on the process of a grant that was made without one (`pin = "app"`).
    ///
    /// Call it before `finished`, and then return the grant with the session in it. A session that
    /// another request has just begun there is joined.
    ///
    /// - Returns: false: the session is on another process, the process is gone or the request was
    ///   sessionless; the grant stays as it is.
    @discardableResult
    package func pin(_ session: SessionID, of grant: Grant, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.pin(session, of: grant) }
    }

    /// Starts another session on the process of a grant, which has issued its id.
    ///
    /// Ignored if the session is known already, the process is gone or has limited places.
    package func begin(_ session: SessionID, beside grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.begin(session, beside: grant) }
    }

    /// Ends a session (`Mooring-Pin: release`) with its last request; unknown ones are ignored.
    package func endSession(_ session: SessionID, now: MonotonicInstant) {
        change(at: now) { $0.endSession(session) }
    }

    /// Turns the exchange into a tunnel; call it once, instead of `finished`.
    ///
    /// - Returns: whether the tunnel keeps the slot (`tunnel_slots`), for `endTunnel`.
    package func beginTunnel(_ grant: Grant, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.beginTunnel(grant) }
    }

    /// Payload has passed through a tunnel: renews its session, or starts it again.
    package func tunnelTraffic(_ grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.tunnelTraffic(grant) }
    }

    /// A tunnel has closed; exactly once for each that began.
    package func endTunnel(
        _ grant: Grant, _ outcome: ExchangeOutcome, heldSlot: Bool, now: MonotonicInstant
    ) {
        change(at: now) { $0.endTunnel(grant, outcome, heldSlot: heldSlot) }
    }

    /// Extends (never shortens) the idle time of a session (`Mooring-Pin: hold=30m`).
    package func holdSession(_ session: SessionID, idle: Interval, now: MonotonicInstant) {
        change(at: now) { $0.holdSession(session, idle: idle) }
    }
}
