/// Deadlines that pass, and the end of the program.
extension ExchangeMachine {
    /// What follows when the client's deadline has passed.
    package enum ClientTimeout: Equatable, Sendable {
        /// A new visitor has waited long enough: a browser is shown that there is something to wait for.
        case showWaitingPage
        /// The process has not asked for the body: the client is, in its name.
        case invite
        case answer(Problem)
        /// The client may be slow to read and yet be reading: it is given up if it does not.
        case checkReading
        case abandon
    }

    /// The deadline for something that the client was to do has passed.
    package mutating func clientTimedOut() -> ClientTimeout {
        switch request {
        case .queued: return .showWaitingPage
        case .sending(.awaited):
            endInvitation()
            return .invite
        case .buffering, .sending(.none):
            // The client stopped in the middle of its body.
            switch response {
            case .awaitingHead: return .answer(.requestTimeout)
            case .streaming, .received, .tunnel: return .abandon
            }
        case .parsed, .connecting, .done: return .checkReading
        }
    }

    /// The page for those who wait goes out, and the turn in the queue is kept for its session.
    ///
    /// The registry is not told that the client has left: when it is this waiter's turn the session
    /// begins, and the slot comes back at once.
    package mutating func keepTurn() { move(request: .done) }

    /// What follows when the process's deadline has passed.
    package enum ProcessTimeout: Equatable, Sendable {
        /// It is given up, but may well be at work.
        case answer(Problem)
        /// As `answer`, and the process is replaced: `request_timeout` is over.
        case answerAndReplace(Problem)
        /// The response is cut short, and the process may well be at work.
        case cutShort
        /// The response is cut short, and the process is replaced.
        case cutShortAndReplace
        case endTunnel
    }

    /// The deadline for something that the process was to do has passed.
    package func processTimedOut(now: Int64) -> ProcessTimeout {
        let isOver = now >= clock.deadline
        switch response {
        case .awaitingHead:
            return isOver ? .answerAndReplace(.requestTookTooLong) : .answer(.gatewayTimeout)
        case .streaming, .received: return isOver ? .cutShortAndReplace : .cutShort
        case .tunnel: return isOver ? .cutShortAndReplace : .endTunnel
        }
    }

    /// What the end of the program means for an exchange.
    package enum Shutdown: Equatable, Sendable {
        /// It ends by itself.
        case nothing
        /// An event stream: what is there is passed on, and it ends after that.
        case passRest
        /// A WebSocket: its client is told, and has until then to answer; monotonic ns.
        case closeTunnel
    }

    /// The program ends, and what has no end of its own is ended; its client comes again by itself.
    package mutating func shutDown(now: Int64) -> Shutdown {
        switch response {
        case .awaitingHead, .received: return .nothing
        case .streaming(let streaming): return streaming.isEventStream ? .passRest : .nothing
        case .tunnel(var tunnel):
            guard tunnel.isWebSocket else { return .nothing }
            _ = tunnel.close(now: now)
            self.tunnel = tunnel
            return .closeTunnel
        }
    }

    /// A response without an end of its own passes through.
    package var isEventStream: Bool {
        if case .streaming(let streaming) = response { streaming.isEventStream } else { false }
    }

    /// An event stream was given an end, as the program has come to its own.
    package mutating func eventStreamEnded() {
        move(request: .done)
        move(response: .received)
    }
}
