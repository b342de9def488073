/// Expired deadlines, and shutdown.
extension ExchangeMachine {
    /// The next action when the client's deadline has passed.
    package enum ClientTimeout: Equatable, Sendable {
        /// Show a new visitor the waiting page: a browser would show nothing for too long.
        case showWaitingPage
        /// The process has not asked for the body: send the client a 100 in its name.
        case invite
        case answer(Problem)
        /// Check whether the client still reads; a slow reader may be fine, a stalled one is
        /// dropped.
        case checkReading
        case abandon
    }

    /// The client's deadline has passed.
    package mutating func clientTimedOut() -> ClientTimeout {
        switch request {
        case .queued: return .showWaitingPage
        case .sending(.awaited):
            endInvitation()
            return .invite
        case .buffering, .sending(.none):
            // The client stalled in the middle of its body.
            switch response {
            case .awaitingHead: return .answer(.requestTimeout)
            case .streaming, .received, .tunnel: return .abandon
            }
        case .parsed, .connecting, .done: return .checkReading
        }
    }

    /// The next action when the process's deadline has passed.
    package enum ProcessTimeout: Equatable, Sendable {
        /// Answer the client; the process may still be working on the request.
        case answer(Problem)
        /// As `answer`, and replace the process: `request_timeout` is over.
        case answerAndReplace(Problem)
        /// Cut the response short; the process may still be working on it.
        case cutShort
        /// Cut the response short and replace the process.
        case cutShortAndReplace
        case endTunnel
    }

    /// The process's deadline has passed.
    package func processTimedOut(now: Int64) -> ProcessTimeout {
        let isOver = now >= clock.deadline
        switch response {
        case .awaitingHead:
            return isOver ? .answerAndReplace(.requestTookTooLong) : .answer(.gatewayTimeout)
        case .streaming, .received: return isOver ? .cutShortAndReplace : .cutShort
        case .tunnel: return isOver ? .cutShortAndReplace : .endTunnel
        }
    }

    /// What shutdown means for an exchange.
    package enum Shutdown: Equatable, Sendable {
        /// The exchange will end on its own.
        case nothing
        /// An event stream: forward what has arrived, then end it.
        case passRest
        /// A WebSocket: send a close frame, and give the client until then to answer; monotonic ns.
        case closeTunnel
    }

    /// Shutdown ends exchanges that have no end of their own; their clients reconnect.
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

    /// Whether a response without an end of its own is being forwarded.
    package var isEventStream: Bool {
        if case .streaming(let streaming) = response { streaming.isEventStream } else { false }
    }

    /// An event stream was ended because of the shutdown.
    package mutating func eventStreamEnded() {
        move(request: .done)
        move(response: .received)
    }
}
