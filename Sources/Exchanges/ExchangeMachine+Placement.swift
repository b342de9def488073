package import Backends

/// From the head to a slot: whether to read the body first, whom to ask, and how to handle a
/// refusal.
extension ExchangeMachine {
    /// The next action after a head.
    package enum Start: Equatable, Sendable {
        /// Request a slot from the registry.
        case ask
        /// Read the body first, so that a slow client occupies no process.
        case buffer
    }

    /// The head was parsed, and its route is known.
    ///
    /// - Parameters:
    ///   - bodyIsHere: whether the complete body came with the head.
    ///   - nothingFollows: whether nothing of the body came with the head.
    ///   - buffersBodies: whether `request_buffer` is not 0.
    package mutating func headParsed(
        bodyIsHere: Bool, nothingFollows: Bool, buffersBodies: Bool
    ) -> Start {
        guard traits.hasBody else { return .ask }
        if expectsContinue && nothingFollows || !buffersBodies || bodyIsHere {
            keepBody(isWhole: bodyIsHere)
            return .ask
        }
        move(request: .buffering)
        return .buffer
    }

    /// The next action after a piece of the body was stored.
    package enum Stored: Equatable, Sendable {
        case ask
        /// As `ask`; more of a chunked body follows the stored part, which ends with a chunk.
        case askWithMore
        case read
        case answer(Problem)
    }

    /// The received part of the body was stored before a slot is requested.
    package mutating func bodyStored(_ fill: BodyFill, isTooLarge: Bool) -> Stored {
        if isTooLarge { return .answer(.bodyTooLarge) }
        switch fill {
        case .ended:
            keepBody(isWhole: true)
            return .ask
        case .full:
            keepBody(isWhole: false)
            return .askWithMore
        case .starved: return .read
        case .bad: return .answer(.badRequest)
        }
    }

    private mutating func keepBody(isWhole: Bool) {
        isReplayable = traits.isIdempotent && isWhole
    }

    /// Whether the request has no session and may wait for one that its connection is about to get.
    package var mayFollow: Bool { sharesPin && admission.claim == nil }

    /// Another request of the connection begins the session that both share.
    ///
    /// - Parameter since: when this request first asked; its time in a queue counts from then.
    package mutating func follow(since: MonotonicInstant) {
        move(request: .queued(.leader))
        admission.waitingSince = since
    }

    /// The registry has queued the request.
    package mutating func queued(_ ticket: WaiterTicket) { move(request: .queued(.turn(ticket))) }

    /// The next action after a grant.
    package enum Granted: Equatable, Sendable {
        case connect
        /// Close the connection without a response: the client will retry on another.
        case abandon
        /// The request is over already: return the slot at once.
        case giveBack
    }

    /// The registry has granted a slot, at once or in turn.
    ///
    /// - Parameters:
    ///   - limit: `request_timeout`; nil: none.
    ///   - isLate: whether another balancer had taken over when the request arrived. If its session
    ///     seems lost, its process may be one that only the successor knows.
    package mutating func granted(
        _ grant: Grant, limit: Interval?, isLate: @autoclosure () -> Bool, now: Int64
    ) -> Granted {
        switch request {
        case .parsed, .buffering, .queued, .connecting: break
        // The exchange was answered while the order was on its way.
        case .sending, .done: return .giveBack
        }
        take(grant)
        if admission.waitingSince != nil { admission.waitingSince = nil }
        if case .lost = grant.affinity, isLate() { return .abandon }
        clock = RequestClock(limit: limit, now: now)
        move(request: .connecting(.open))
        return .connect
    }

    /// The next action after a refusal.
    package enum Refused: Equatable, Sendable {
        /// Ask the registry again.
        case ask
        case answer(Problem)
        case abandon
        /// The exchange was answered while the order was on its way.
        case nothing
    }

    /// The registry sheds the request, at once or from its queue.
    ///
    /// If the session of its connection has no room, the request gives up joining it: without a
    /// cookie it has nothing to lose, and may get a process of its own.
    package mutating func refused(_ refusal: Refusal, isLate: Bool) -> Refused {
        switch request {
        case .queued(.turn): break
        case .sending, .done: return .nothing
        case .parsed, .buffering, .queued(.leader), .connecting:
            if refusal.reason == .processQueueFull, sharesPin, admission.claim != nil {
                sharesPin = false
                admission.claim = nil
                return .ask
            }
        }
        if refusal.reason == .sessionLost, isLate { return .abandon }
        return .answer(.refusal(refusal))
    }

    /// Serving the request would start a process.
    ///
    /// - Parameter wait: for how many seconds its client may not cause a start; nil: it may.
    package mutating func needsSpawn(wait: Int?) -> Refused {
        if let wait { return .answer(.tooManySpawns(retryAfterSeconds: wait)) }
        admission.maySpawn = true
        return .ask
    }

    /// The ticket in the registry's queue; nil: it is in none.
    package var ticket: WaiterTicket? {
        if case .queued(.turn(let ticket)) = request { ticket } else { nil }
    }

    /// The ticket to leave the registry's queue with; nil: it is in none.
    ///
    /// An order already on its way will find the exchange done.
    package mutating func leaveQueue() -> WaiterTicket? {
        guard case .queued(.turn(let ticket)) = request else { return nil }
        move(request: .done)
        return ticket
    }

    /// Mooring's own response is sent; the client has seen nothing of another.
    package mutating func answered() {
        move(request: .done)
        move(response: .received)
    }
}
