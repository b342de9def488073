/// The phase of a process's life.
enum ProcessPhase: Equatable, Sendable {
    /// Ordered, possibly running, takes no request.
    ///
    /// Can transition to: ready, stopping, gone.
    case starting(until: MonotonicInstant)
    /// Takes requests. Can transition to: draining, stopping, down (external), gone.
    case ready
    /// Takes only its own sessions' requests.
    ///
    /// Can transition to: ready, stopping, down (external), gone.
    case draining(StopReason)
    /// Ordered to stop; `killAt` is nil once it was killed.
    ///
    /// Can transition to: gone.
    case stopping(StopReason, killAt: MonotonicInstant?)
    /// An external server that refused connections. Can transition to: ready, gone.
    case down(until: MonotonicInstant)
    /// The entry is free. Can transition to: starting, or ready for an external server.
    case gone

    /// What has happened to a process, or been decided about it.
    enum Fact: Equatable, Sendable {
        case becameReady
        case startTimedOut
        case drain(StopReason)
        /// Its retired group is back in the configuration.
        case reinstate
        case stop(StopReason, killAt: MonotonicInstant)
        case stopTimedOut
        case exited
        /// An external server refused a connection.
        case refused(until: MonotonicInstant)
        case outageOver
        /// An external server that nobody wants any more.
        case removed
    }

    /// The consequence of a fact.
    enum Outcome: Equatable, Sendable {
        /// The fact came too late to matter.
        case nothing
        case isReady
        case drains(StopReason)
        /// SIGTERM must be sent.
        case terminate(StopReason)
        /// SIGKILL must be sent.
        case kill(StopReason)
        /// It exited before it was ready.
        case failedToStart
        /// It exited unexpectedly.
        case crashed
        /// It exited because it was ordered to.
        case stopped(StopReason)
        case isDown
    }

    /// The whole life cycle: every state with every fact.
    mutating func apply(_ fact: Fact) -> Outcome {
        switch (self, fact) {
        case (.starting, .becameReady):
            self = .ready
            return .isReady
        case (.starting, .startTimedOut):
            self = .stopping(.startTimeout, killAt: nil)
            return .kill(.startTimeout)
        case (.starting, .exited):
            self = .gone
            return .failedToStart
        case (.ready, .drain(let reason)):
            self = .draining(reason)
            return .drains(reason)
        case (.ready, .refused(let until)), (.draining, .refused(let until)):
            self = .down(until: until)
            return .isDown
        case (.ready, .removed), (.draining, .removed), (.down, .removed):
            self = .gone
            return .stopped(.removed)
        case (.starting, .stop(let reason, let killAt)), (.ready, .stop(let reason, let killAt)),
            (.draining, .stop(let reason, let killAt)):
            self = .stopping(reason, killAt: killAt)
            return .terminate(reason)
        case (.ready, .exited), (.draining, .exited):
            self = .gone
            return .crashed
        case (.stopping(let reason, _), .stopTimedOut):
            self = .stopping(reason, killAt: nil)
            return .kill(reason)
        case (.stopping(let reason, _), .exited):
            self = .gone
            return .stopped(reason)
        case (.down, .outageOver), (.draining, .reinstate):
            self = .ready
            return .isReady

        // Facts that lost a race and no longer matter.
        case (.ready, .becameReady),  // two signs of readiness
            (.draining, .becameReady),
            (.stopping, .becameReady),  // it accepted just when its time was up
            (.draining, .drain),  // drained twice
            (.stopping, .drain), (.stopping, .stop),
            (.down, .refused):  // connections that were tried at the same moment
            return .nothing

        // Facts that only a defect in this program can produce.
        case (.starting, .drain),  // a process that is not ready yet is stopped instead
            (.starting, .reinstate), (.ready, .reinstate), (.stopping, .reinstate),
            (.down, .reinstate), (.gone, .reinstate),
            (.starting, .stopTimedOut), (.starting, .refused), (.starting, .outageOver),
            (.ready, .startTimedOut), (.ready, .stopTimedOut), (.ready, .outageOver),
            (.draining, .startTimedOut), (.draining, .stopTimedOut),
            (.starting, .removed), (.stopping, .removed), (.gone, .removed),
            (.draining, .outageOver),
            (.stopping, .startTimedOut), (.stopping, .refused), (.stopping, .outageOver),
            (.down, .becameReady), (.down, .startTimedOut), (.down, .drain), (.down, .stop),
            (.down, .stopTimedOut), (.down, .exited),  // external servers are not ours to stop
            (.gone, .becameReady), (.gone, .startTimedOut), (.gone, .drain), (.gone, .stop),
            (.gone, .stopTimedOut), (.gone, .exited), (.gone, .refused), (.gone, .outageOver):
            preconditionFailure("\(fact) is not possible in \(self)")
        }
    }

    /// Serves the requests of its own sessions.
    var serves: Bool {
        switch self {
        case .ready, .draining: true
        case .starting, .stopping, .down, .gone: false
        }
    }

    /// Its sessions have not been given up.
    var holdsSessions: Bool {
        switch self {
        case .ready, .draining, .down: true
        case .starting, .stopping, .gone: false
        }
    }

    var isReady: Bool { self == .ready }
    var isStopping: Bool {
        switch self {
        case .stopping: true
        case .starting, .ready, .draining, .down, .gone: false
        }
    }
    var isStarting: Bool {
        switch self {
        case .starting: true
        case .ready, .draining, .stopping, .down, .gone: false
        }
    }
    var isGone: Bool { self == .gone }
}
