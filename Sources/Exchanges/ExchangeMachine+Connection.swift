package import Backends

/// From a slot to a connection that carries the request, including retries.
extension ExchangeMachine {
    /// The shortest and the longest pause before a process with a full backlog is tried again.
    private static let shortestPause = Interval.milliseconds(2)
    private static let longestPause = Interval.milliseconds(50)
    /// If many processes die at once, a request may try several of them before the registry knows.
    private static let mostProcessesTried = 16
    /// How long a process may take to ask for a body whose client waits for a 100.
    ///
    /// A process that does not know `Expect` waits for the body while the client waits for the 100:
    /// then Mooring sends the 100 itself.
    package static let invitationPatience: Int64 = 1_000_000_000

    /// The process's backlog is full: returns the pause before the next attempt; nil: it was full
    /// for too long.
    ///
    /// A unix socket refuses at once in this case (connect(2)), where TCP would wait: the process
    /// is alive but overloaded.
    ///
    /// - Parameter patience: `timeouts.connect`.
    package mutating func backlogFull(patience: Interval, now: Int64) -> Interval? {
        guard case .connecting(let backlog) = request else {
            preconditionFailure("an exchange in \(request) makes no connection")
        }
        let until: Int64 =
            switch backlog {
            case .open: now &+ patience.nanoseconds
            case .full(let until): until
            }
        note(request: .connecting(.full(until: until)))
        let left = until &- now
        if left <= 0 { return nil }
        // A quarter of the time waited so far.
        let grown = Interval(nanoseconds: (patience.nanoseconds &- left) / 4)
        let pause = min(max(Self.shortestPause, grown), Self.longestPause)
        return min(pause, Interval(nanoseconds: left))
    }

    /// The pause is over: whether to try the process again; false: its time is over.
    package func triesAgain(now: Int64) -> Bool { now < clock.deadline }

    /// The next action after a failed connect.
    package enum Unconnected: Equatable, Sendable {
        /// Ask the registry for another process.
        case ask
        case answer(Problem)
    }

    /// Connecting to the process failed; the slot was returned.
    ///
    /// If no byte was ever sent, any request may go to another process, if its session permits. A
    /// request that reached a process which then became unreachable may have crashed it, and would
    /// crash the next one too.
    ///
    /// - Parameters:
    ///   - retries: of the group.
    ///   - isSpawned: whether Mooring started the process: each refusing process is then out of
    ///     service for the request, so retries are bounded.
    package mutating func connectFailed(
        _ failure: ConnectFailure, retries: Int, isSpawned: Bool
    ) -> Unconnected {
        switch failure.outcome(isSpawned: isSpawned) {
        case .served, .failed, .abandoned: return .answer(failure.problem)
        case .connectFailed: break
        }
        if hasReachedProcess { return .answer(.connectionTerminated) }
        let most = isSpawned && retries > 0 ? Self.mostProcessesTried : retries
        guard connectAttempts < most else { return .answer(failure.problem) }
        connectAttempts += 1
        return .ask
    }

    /// The connection is established; head and body are sent next.
    ///
    /// - Parameter nothingFollows: whether nothing of the body has arrived: a client with `Expect`
    ///   waits for an invitation.
    package mutating func connected(nothingFollows: Bool, now: Int64) {
        expectsContinue = expectsContinue && nothingFollows
        move(
            request: .sending(
                expectsContinue ? .awaited(until: now &+ Self.invitationPatience) : .none))
    }

    /// The state of a connection that broke before its response.
    package struct BrokenConnection: Equatable, Sendable {
        /// Part of the request was handed to the kernel.
        package var sentAny: Bool
        /// The connection carried an earlier exchange: the process may have closed it meanwhile.
        package var isReused: Bool
        /// Bytes of a response have arrived.
        package var hasResponded: Bool

        package init(sentAny: Bool, isReused: Bool, hasResponded: Bool) {
            self.sentAny = sentAny
            self.isReused = isReused
            self.hasResponded = hasResponded
        }
    }

    /// The next action after a connection broke before its response.
    package enum Broken: Equatable, Sendable {
        /// Connect to the same process again.
        case reconnect
        case answer(Problem)
    }

    /// The connection broke before the response head was complete.
    ///
    /// A live process may have closed it for its own reasons, so the request is retried on a fresh
    /// connection. This is often the first sign that a process has exited: then no fresh connection
    /// is possible.
    ///
    /// - Parameter isAlive: whether the registry believes that the process is alive.
    package mutating func broke(
        _ connection: BrokenConnection, retries: Int, isAlive: @autoclosure () -> Bool
    ) -> Broken {
        assert(response.phase == .awaitingHead, "a response has begun")
        if connection.sentAny { hasReachedProcess = true }
        let mayRepeat = !hasReachedProcess || isReplayable && isAlive()
        // The process closed a kept connection earlier, which does not count as an attempt.
        let isAsNew = connection.isReused && !connection.sentAny
        guard mayRepeat, bodyIsKept, !connection.hasResponded, isAsNew || attempts < retries else {
            return .answer(.connectionTerminated)
        }
        if !isAsNew { attempts += 1 }
        move(request: .connecting(.open))
        return .reconnect
    }
}
