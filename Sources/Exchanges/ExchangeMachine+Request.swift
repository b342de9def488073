/// What became of a piece of body that was to be moved to a block.
package enum BodyFill: Sendable, CaseIterable {
    /// The body is complete.
    case ended
    /// No more room; there may be more bytes.
    case full
    /// All that has come was moved.
    case starved
    case bad
}

/// What became of writing out a block.
package enum FlushOutcome: Sendable, CaseIterable {
    case done
    /// An event follows when there is room.
    case blocked
    case broken
}

/// From a connection to the end of the request.
extension ExchangeMachine {
    /// What follows on a piece of the request that was sent.
    package enum Sent: Equatable, Sendable {
        /// The process keeps the client waiting, not the other way round.
        case awaitProcess
        /// The connection was closed before anything was sent: whatever it says was not said to this request.
        case retry
        /// The process takes no more, and may have answered: what it said counts.
        case readResponse
        /// The request is complete; the stored body is dropped unless it may be wanted again.
        case finished(dropsBody: Bool)
        /// There is more of the body here.
        case fill
        /// More of the body is to be read, and what was stored is dropped.
        case read
    }

    /// A piece of the request was handed to the process.
    ///
    /// - Parameters:
    ///   - fill: What there was to be sent.
    ///   - isUntouched: The connection carried an exchange before, and nothing of this one.
    package mutating func sent(
        _ outcome: FlushOutcome, _ fill: BodyFill, isUntouched: Bool
    ) -> Sent {
        switch outcome {
        case .blocked: return .awaitProcess
        case .broken:
            if isUntouched { return .retry }
            move(request: .done)
            return .readResponse
        case .done:
            switch fill {
            case .ended:
                move(request: .done)
                return .finished(dropsBody: !isReplayable)
            case .full, .bad: return .fill
            case .starved: return .read
            }
        }
    }

    /// The stored body will not be sent again.
    package mutating func dropBody() { bodyIsKept = false }

    /// What follows when a body turns out to be bad or too large in the middle.
    package enum BadBody: Equatable, Sendable {
        case answer
        /// The client has seen a part of the response: its connection ends.
        case abandon
    }

    /// The body turned out bad in the middle: the process must not take it for whole.
    package func bodyIsBad() -> BadBody {
        switch response {
        case .awaitingHead: .answer
        case .streaming, .received, .tunnel: .abandon
        }
    }

    /// Whom the request waits for while nothing of its body comes.
    package enum Awaited: Equatable, Sendable {
        /// The process, which is to ask for the body; monotonic ns.
        case invitation(until: Int64)
        /// The client: the process's time stands still.
        case client
        /// The response, which has begun, has times of its own.
        case response
    }

    /// Nothing more of the body has come.
    package func bodyIsAwaited() -> Awaited {
        switch response {
        case .streaming, .received, .tunnel: return .response
        case .awaitingHead: break
        }
        switch request {
        case .sending(.awaited(let until)): return .invitation(until: until)
        case .sending(.none), .parsed, .buffering, .queued, .connecting, .done: return .client
        }
    }

    /// More of the body has come, asked for or not.
    package mutating func bodyArrived(now: Int64) {
        endInvitation()
        clock.resume(now: now)
    }

    /// The client has been asked for the body, or nobody asks for it any more.
    package mutating func endInvitation() {
        expectsContinue = false
        if case .sending(.awaited) = request { note(request: .sending(.none)) }
    }

    /// The client is to be asked for its body by the process, which has not done so.
    package var awaitsInvitation: Bool {
        if case .sending(.awaited) = request { true } else { false }
    }

    /// What follows when a client can be read from.
    package enum Readable: Equatable, Sendable {
        /// It has gone, as far as can be told: nothing is sent to a process for nobody.
        case abandon
        case buffer
        case send
        /// What it says waits.
        case nothing
    }

    /// The client has said something, or has finished sending.
    package func clientReadable(hasEnded: Bool) -> Readable {
        switch request {
        case .queued: hasEnded ? .abandon : .nothing
        case .buffering: .buffer
        case .sending: .send
        case .parsed, .connecting, .done: .nothing
        }
    }
}
