internal import Backends

/// The reference model's sessions.
extension ShadowModel {
    /// A session that its process still has, under another balancer.
    mutating func carryOver(
        _ session: SessionID, _ pin: Pin, to handle: ProcessHandle, isElsewhere: Bool,
        now: MonotonicInstant
    ) {
        let wasCertain = isCertain(pin, now: now)
        pins[session] = Pin(
            process: handle, lastSeen: wasCertain ? now : pin.lastSeen,
            idle: max(pin.idle, policy.sessionIdle), isConfirmed: pin.isConfirmed,
            isIssued: true, isFromBefore: policy.sessionsPerProcess == 0,
            isElsewhere: isElsewhere && (pin.running > 0 || pin.isElsewhere))
    }

    /// The previous balancer has finished its requests.
    mutating func endSharing(now: MonotonicInstant) {
        for handle in processes.keys { processes[handle]?.isShared = false }
        for (session, pin) in pins where pin.isElsewhere {
            pins[session]?.isElsewhere = false
            pins[session]?.lastSeen = now
        }
    }

    /// Sessions that certainly hold a place on a process.
    func certainSessions(
        on handle: ProcessHandle, now: MonotonicInstant
    ) -> [(session: SessionID, isConfirmed: Bool)] {
        pins.filter { $0.value.process == handle && isCertain($0.value, now: now) }
            .map { ($0.key, $0.value.isConfirmed) }
    }

    func isCertain(_ pin: Pin, now: MonotonicInstant) -> Bool {
        pin.running > 0 || pin.isElsewhere || now < pin.lastSeen + leastSpan(of: pin)
    }

    /// The least time that a session lives without a request.
    private func leastSpan(of pin: Pin) -> Interval {
        if pin.isConfirmed { return pin.idle }
        let span = min(pin.idle, policy.unconfirmed)
        let mayGiveWay =
            policy.sessionsPerProcess > 0 || policy.leaseLimit < 1_000_000
            || processes[pin.process]?.state == .draining
        return mayGiveWay ? min(span, .seconds(10)) : span
    }

    /// The process that a request must be given to; nil: any, as far as the model knows.
    func expected(_ claim: AdmissionRequest.Claim?, now: MonotonicInstant) -> ProcessHandle? {
        guard let claim, !released.contains(claim.session), let pin = pins[claim.session],
            isCertain(pin, now: now), !(claim.requiresLease && pin.isFromBefore),
            let process = processes[pin.process], process.serves
        else { return nil }
        return pin.process
    }

    mutating func release(_ session: SessionID) {
        released.insert(session)
        pins[session] = nil
    }

    mutating func hold(_ session: SessionID, _ idle: Interval) {
        if let pin = pins[session] { pins[session]?.idle = max(pin.idle, idle) }
    }

    mutating func pin(
        _ session: SessionID, to handle: ProcessHandle, isConfirmed: Bool = false,
        now: MonotonicInstant
    ) {
        if released.contains(session) { return }
        pins[session] = Pin(
            process: handle, lastSeen: now, idle: policy.sessionIdle, running: 1,
            isConfirmed: isConfirmed)
    }
}
