package import Backends

/// From the head to a slot: whether the body is read first, whom to ask, and what a refusal means.
extension ExchangeMachine {
    /// What follows on a head.
    package enum Start: Equatable, Sendable {
        /// The registry is asked for a slot.
        case ask
        /// The body is read first, so that a slow client holds no process.
        case buffer
    }

    /// The head was parsed, and its route is known.
    ///
    /// - Parameters:
    ///   - bodyIsHere: All of the body came with the head.
    ///   - nothingFollows: Nothing of the body came with the head.
    ///   - buffersBodies: `request_buffer` is not 0.
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

    /// What follows on a piece of body that was stored.
    package enum Stored: Equatable, Sendable {
        case ask
        /// As `ask`; more follows what is stored of a chunked body, whose chunk ends here.
        case askWithMore
        case read
        case answer(Problem)
    }

    /// What had come of the body was stored before a slot is asked for.
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

    /// It has no session of its own, and waits for one that its connection is about to have.
    package var mayFollow: Bool { sharesPin && admission.claim == nil }

    /// Another request of its connection begins the session that it shares.
    ///
    /// - Parameter since: when it first asked; its wait in a queue counts from then.
    package mutating func follow(since: MonotonicInstant) {
        move(request: .queued(.leader))
        admission.waitingSince = since
    }

    /// The registry has put it into a queue.
    package mutating func queued(_ ticket: WaiterTicket) { move(request: .queued(.turn(ticket))) }

    /// What follows on a grant.
    package enum Granted: Equatable, Sendable {
        case connect
        /// The connection ends without a word: its client asks again on another.
        case abandon
        /// Nobody waits for it any more: the slot goes back at once.
        case giveBack
    }

    /// The registry has given it a slot, at once or in its turn.
    ///
    /// - Parameters:
    ///   - limit: `request_timeout`; nil: none.
    ///   - isLate: It has come when another balancer had taken over. If its session seems lost then its
    ///     process may be one that only the successor knows.
    package mutating func granted(
        _ grant: Grant, limit: Interval?, isLate: @autoclosure () -> Bool, now: Int64
    ) -> Granted {
        switch request {
        case .parsed, .buffering, .queued, .connecting: break
        // It was answered while the order was on its way.
        case .sending, .done: return .giveBack
        }
        take(grant)
        if admission.waitingSince != nil { admission.waitingSince = nil }
        if case .lost = grant.affinity, isLate() { return .abandon }
        clock = RequestClock(limit: limit, now: now)
        move(request: .connecting(.open))
        return .connect
    }

    /// What follows on a refusal.
    package enum Refused: Equatable, Sendable {
        /// The registry is asked again.
        case ask
        case answer(Problem)
        case abandon
        /// It was answered while the order was on its way.
        case nothing
    }

    /// The registry sheds it, at once or out of its queue.
    ///
    /// Where the session of its connection has no room it gives up joining that: without a cookie
    /// there is nothing to lose, and it may have a process of its own.
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

    /// A process would be started for it.
    ///
    /// - Parameter wait: For how many seconds its client may cause no start; nil: it may.
    package mutating func needsSpawn(wait: Int?) -> Refused {
        if let wait { return .answer(.tooManySpawns(retryAfterSeconds: wait)) }
        admission.maySpawn = true
        return .ask
    }

    /// The ticket to leave its queue by; nil: it is in none of the registry's.
    ///
    /// An order that is already under way finds it done.
    package mutating func leaveQueue() -> WaiterTicket? {
        guard case .queued(.turn(let ticket)) = request else { return nil }
        move(request: .done)
        return ticket
    }

    /// An answer of Mooring's own goes out; the client has seen nothing of another.
    package mutating func answered() {
        move(request: .done)
        move(response: .received)
    }
}
