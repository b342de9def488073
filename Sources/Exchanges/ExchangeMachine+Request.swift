/// The result of moving body bytes to a block.
package enum BodyFill: Sendable, CaseIterable {
    /// The body is complete.
    case ended
    /// The block is full; more bytes may be available.
    case full
    /// Everything received so far was moved.
    case starved
    case bad
}

/// The result of writing out a block.
package enum FlushOutcome: Sendable, CaseIterable {
    case done
    /// The socket is full; an event follows when it can take more.
    case blocked
    case broken
}

/// From a connection to the end of the request.
extension ExchangeMachine {
    /// The next action after sending a piece of the request.
    package enum Sent: Equatable, Sendable {
        /// Wait for the process to take more; the client is not at fault.
        case awaitProcess
        /// The connection was closed before anything was sent: its bytes do not answer this
        /// request.
        case retry
        /// The process takes no more and may have responded: read its response.
        case readResponse
        /// The request is complete; the stored body is dropped unless a retry may need it.
        case finished(dropsBody: Bool)
        /// Fill another block: more of the body is available.
        case fill
        /// Read more of the body; the stored part is dropped.
        case read
    }

    /// A piece of the request was handed to the process.
    ///
    /// - Parameters:
    ///   - fill: how the piece was filled.
    ///   - isUntouched: whether the connection carried an exchange before, and nothing of this one.
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

    /// The next action when a body turns out to be malformed or too large.
    package enum BadBody: Equatable, Sendable {
        case answer
        /// The client has seen part of a response: close its connection.
        case abandon
    }

    /// The body turned out malformed: the process must not take it for complete.
    package func bodyIsBad() -> BadBody {
        switch response {
        case .awaitingHead: .answer
        case .streaming, .received, .tunnel: .abandon
        }
    }

    /// Whom the request waits for while no body bytes arrive.
    package enum Awaited: Equatable, Sendable {
        /// The process, which must invite the body; monotonic ns.
        case invitation(until: Int64)
        /// The client: the process's clock is paused.
        case client
        /// The response, which has begun and has its own timeouts.
        case response
    }

    /// No more of the body has arrived.
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

    /// More of the body has arrived, invited or not.
    package mutating func bodyArrived(now: Int64) {
        endInvitation()
        clock.resume(now: now)
    }

    /// The client was invited to send the body, or no longer will be.
    package mutating func endInvitation() {
        expectsContinue = false
        if case .sending(.awaited) = request { note(request: .sending(.none)) }
    }

    /// Whether the client waits for an invitation that the process has not sent yet.
    package var awaitsInvitation: Bool {
        if case .sending(.awaited) = request { true } else { false }
    }

    /// The next action when the client's socket is readable.
    package enum Readable: Equatable, Sendable {
        /// The client has gone as far as can be known: sending its request to a process would be
        /// pointless.
        case abandon
        case buffer
        case send
        /// Leave the bytes unread for now.
        case nothing
    }

    /// The client has sent bytes or finished sending.
    package func clientReadable(hasEnded: Bool) -> Readable {
        switch request {
        case .queued: hasEnded ? .abandon : .nothing
        case .buffering: .buffer
        case .sending: .send
        case .parsed, .connecting, .done: .nothing
        }
    }
}
