package import Backends

/// From a slot to a connection that carries the request, and what follows when there is none.
extension ExchangeMachine {
    /// The shortest and the longest pause before a full backlog is tried again.
    private static let shortestPause = Interval.milliseconds(2)
    private static let longestPause = Interval.milliseconds(50)
    /// When many die at once a request may meet one after the other before their ends are known.
    private static let mostProcessesTried = 16
    /// How long a process has to ask for a body that its client holds back.
    ///
    /// One that knows nothing of expectations waits for the body, as the client waits for the 100, which
    /// is then sent in its name.
    package static let invitationPatience: Int64 = 1_000_000_000

    /// The process's backlog is full: the pause before the next attempt; nil: it was for too long.
    ///
    /// A unix socket refuses at once then (connect(2)), where TCP would wait: the process lives and is behind.
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
        // A quarter of what has been waited already.
        let grown = Interval(nanoseconds: (patience.nanoseconds &- left) / 4)
        let pause = min(max(Self.shortestPause, grown), Self.longestPause)
        return min(pause, Interval(nanoseconds: left))
    }

    /// The pause is over: whether the process is tried again, or has had its time.
    package func triesAgain(now: Int64) -> Bool { now < clock.deadline }

    /// What follows when no connection was made.
    package enum Unconnected: Equatable, Sendable {
        /// The registry is asked for another process.
        case ask
        case answer(Problem)
    }

    /// No connection to its process was made; its slot has gone back.
    ///
    /// If no byte was ever sent then any request may go elsewhere, if its session may. A request that
    /// reached a process which cannot be reached any more may be what ended it, and would end the next
    /// one too.
    ///
    /// - Parameters:
    ///   - retries: Of the group.
    ///   - isSpawned: Mooring has started the process: each that refuses is out of service for the request, so
    ///     there is an end to that.
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

    /// The connection stands, and head and body go out.
    ///
    /// - Parameter nothingFollows: Nothing of the body has come: a client that expects to be asked for it
    ///   waits.
    package mutating func connected(nothingFollows: Bool, now: Int64) {
        expectsContinue = expectsContinue && nothingFollows
        move(
            request: .sending(
                expectsContinue ? .awaited(until: now &+ Self.invitationPatience) : .none))
    }

    /// What is known of the connection that broke before its response.
    package struct BrokenConnection: Equatable, Sendable {
        /// Something of the request has been handed to the kernel.
        package var sentAny: Bool
        /// It carried an exchange before: the process may have closed it meanwhile.
        package var isReused: Bool
        /// Bytes of a response have come.
        package var hasSpoken: Bool

        package init(sentAny: Bool, isReused: Bool, hasSpoken: Bool) {
            self.sentAny = sentAny
            self.isReused = isReused
            self.hasSpoken = hasSpoken
        }
    }

    /// What follows when a connection broke before its response.
    package enum Broken: Equatable, Sendable {
        /// A fresh connection to the same process is made.
        case reconnect
        case answer(Problem)
    }

    /// The connection broke before the response head was complete.
    ///
    /// A process that lives may have closed it for reasons of its own, so the request is tried again on
    /// a fresh one. The end of a process is often seen here first: then no fresh one is to be had.
    ///
    /// - Parameter isAlive: Whether the process is, as far as the registry knows.
    package mutating func broke(
        _ connection: BrokenConnection, retries: Int, isAlive: @autoclosure () -> Bool
    ) -> Broken {
        assert(response.phase == .awaitingHead, "a response has begun")
        if connection.sentAny { hasReachedProcess = true }
        let mayRepeat = !hasReachedProcess || isReplayable && isAlive()
        // The process had closed a kept connection before: as good as if it had never been tried.
        let isAsNew = connection.isReused && !connection.sentAny
        guard mayRepeat, bodyIsKept, !connection.hasSpoken, isAsNew || attempts < retries else {
            return .answer(.connectionTerminated)
        }
        if !isAsNew { attempts += 1 }
        move(request: .connecting(.open))
        return .reconnect
    }
}
