package import Backends
internal import HTTPWire

/// One request with its response as a state machine: facts go in, actions come out.
///
/// Request and response are two halves that move on their own: a process may respond before the
/// upload is complete, and a client may still read when the process has long been released. The
/// machine is plain data. It knows no socket, buffer or clock: its owner moves the bytes, reports
/// events with the time (monotonic, in nanoseconds), and carries out the results.
///
/// A fact that may come at any time is handled in every state. One that only the owner can cause,
/// at the wrong time, is a defect and traps in debug builds, as does a transition that no table
/// allows.
package struct ExchangeMachine: Sendable {
    package private(set) var request = RequestState.parsed
    package private(set) var response = ResponseState.awaitingHead(interimHeads: 0)
    package private(set) var slot = Slot.none
    /// The time that the process has for the request.
    package var clock = RequestClock.unlimited

    /// The admission request, sent to the registry again with each attempt.
    package var admission: AdmissionRequest
    /// Whether the request, having no session, may join one that its browser begins on the same
    /// connection.
    package var sharesPin = false
    /// Facts of the request's head.
    package private(set) var traits = RequestTraits()

    /// The client holds its body back until it is invited (`Expect: 100-continue`).
    package internal(set) var expectsContinue = false
    /// May be sent again if no response came: idempotent, and its body, if any, is kept.
    package internal(set) var isReplayable = false
    /// Nothing of the body has been dropped: it can be sent again from its beginning.
    package internal(set) var bodyIsKept = true
    /// A process has received, or may have received, part of it in a failed attempt.
    package internal(set) var hasReachedProcess = false
    /// Retries after a process may have received something, and after none had.
    var attempts = 0
    var connectAttempts = 0

    /// A slot of a process, from its grant to the end of the exchange.
    package enum Slot: Equatable, Sendable {
        case none
        case held(Grant)
        /// Returned, or left to the connection on which the process still works.
        case returned(Grant)
    }

    /// - Parameter waiter: identifies the exchange to the registry while it waits.
    package init(waiter: WaiterTag) {
        admission = AdmissionRequest(claim: nil, newSession: nil, waiter: waiter)
    }

    /// The head of the request is known.
    package mutating func begin(_ traits: RequestTraits) {
        self.traits = traits
        expectsContinue = traits.expectsContinue
        isReplayable = traits.isIdempotent && !traits.hasBody && traits.upgrade == .none
    }

    /// The grant of the current or the last slot; nil: there was none.
    package var grant: Grant? {
        switch slot {
        case .none: nil
        case .held(let grant), .returned(let grant): grant
        }
    }

    /// Whether a slot is held that was not returned to the registry.
    @inline(__always)
    package var holdsSlot: Bool {
        if case .held = slot { true } else { false }
    }

    /// Whether the process has the complete request but has not responded.
    package var awaitsAnswer: Bool { request.phase == .done && response.phase == .awaitingHead }

    @inline(__always)
    mutating func move(request next: RequestState) {
        assert(request.phase.leads(to: next.phase), "a request goes from \(request) to \(next)")
        request = next
    }

    @inline(__always)
    mutating func move(response next: ResponseState) {
        assert(response.phase.leads(to: next.phase), "a response goes from \(response) to \(next)")
        response = next
    }

    /// Keeps the phase and replaces its payload.
    mutating func note(request same: RequestState) {
        assert(request.phase == same.phase, "\(same) is no part of \(request)")
        request = same
    }

    /// Keeps the phase and replaces its payload.
    mutating func note(response same: ResponseState) {
        assert(response.phase == same.phase, "\(same) is no part of \(response)")
        response = same
    }

    /// The tunnel; valid only in that state.
    package var tunnel: Tunnel {
        get {
            guard case .tunnel(let tunnel) = response else {
                preconditionFailure("an exchange in \(response) is no tunnel")
            }
            return tunnel
        }
        set { note(response: .tunnel(newValue)) }
    }

    // MARK: The slot

    /// A slot was granted.
    mutating func take(_ grant: Grant) {
        assert(!holdsSlot, "an exchange has one slot at a time")
        slot = .held(grant)
    }

    /// A session has begun in the response: the grant belongs to it.
    package mutating func beginSession(_ session: SessionID) {
        switch slot {
        case .none: return
        case .held(var grant):
            grant.session = session
            grant.placed = .pinned
            slot = .held(grant)
        case .returned(var grant):
            grant.session = session
            grant.placed = .pinned
            slot = .returned(grant)
        }
    }

    /// How a slot is returned to the registry.
    package enum SlotReturn: Equatable, Sendable {
        /// None was held.
        case none
        /// - Parameter isAnswered: a response's head has gone to the client.
        case request(Grant, isAnswered: Bool)
        case tunnel(Grant, heldSlot: Bool)

        /// The grant to return; nil: none.
        package var grant: Grant? {
            switch self {
            case .none: nil
            case .request(let grant, _), .tunnel(let grant, _): grant
            }
        }

        package var isTunnel: Bool {
            if case .tunnel = self { true } else { false }
        }
    }

    /// Gives up the slot, if one is held: once, however the exchange ends.
    package mutating func returnSlot() -> SlotReturn {
        guard case .held(let grant) = slot else { return .none }
        slot = .returned(grant)
        switch response {
        case .awaitingHead: return .request(grant, isAnswered: false)
        case .streaming, .received: return .request(grant, isAnswered: true)
        case .tunnel(let tunnel): return .tunnel(grant, heldSlot: tunnel.holdsSlot)
        }
    }
}

/// Facts of a request's head that decisions depend on: plain data.
package struct RequestTraits: Equatable, Sendable {
    /// The protocol that the process should switch to.
    package enum Upgrade: Sendable {
        case none, webSocket, other
    }

    package var hasBody: Bool
    package var isHTTP11: Bool
    /// Repeating it has no further effect (RFC 9110 section 9.2.2).
    package var isIdempotent: Bool
    package var expectsContinue: Bool
    package var upgrade: Upgrade

    package init(
        hasBody: Bool = false, isHTTP11: Bool = true, isIdempotent: Bool = false,
        expectsContinue: Bool = false, upgrade: Upgrade = .none
    ) {
        self.hasBody = hasBody
        self.isHTTP11 = isHTTP11
        self.isIdempotent = isIdempotent
        self.expectsContinue = expectsContinue
        self.upgrade = upgrade
    }
}
