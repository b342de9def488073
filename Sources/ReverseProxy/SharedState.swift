internal import Backends
internal import Reactor
internal import Synchronization

/// State shared by the loops; thread-safe.
final class SharedState: Sendable {
    let settings: ProxySettings
    let groups: [Group]
    let shares: [WorkerShare]
    let accessLog: AccessLogWriter?
    let logThrottle: LogThrottle
    /// Takes what applications say beside their responses.
    let onErrors: @Sendable (ErrorText) -> Void
    let spawnLimiter = SpawnLimiter()
    /// Client connections over all loops.
    let connections = Atomic<Int>(0)
    /// Connections to processes, and files on their way to clients, over all loops.
    private let upstreams = Atomic<Int>(0)
    /// Accepting waits for a connection to close.
    let acceptingPaused = Atomic<Bool>(false)
    let isDraining = Atomic<Bool>(false)
    private let drained = Mutex<(@Sendable () -> Void)?>(nil)
    private let stopped = Mutex<(@Sendable () -> Void)?>(nil)
    private let loopsRunning: Atomic<Int>
    private let hasReportedNoDiagnosis = Atomic<Bool>(false)

    init(
        settings: ProxySettings, groups: [Group], shares: [WorkerShare],
        accessLog: AccessLogWriter?, logThrottle: LogThrottle,
        onErrors: @escaping @Sendable (ErrorText) -> Void = { _ in }
    ) {
        self.settings = settings
        self.groups = groups
        self.shares = shares
        self.accessLog = accessLog
        self.logThrottle = logThrottle
        self.onErrors = onErrors
        loopsRunning = Atomic(shares.count)
    }

    /// Logs once that the owners of the processes' ports cannot be determined.
    func logMissingDiagnosis(_ code: Int32) {
        if hasReportedNoDiagnosis.exchange(true, ordering: .relaxed) { return }
        logThrottle.log(
            "the kernel does not tell whose the processes' ports are (\(SystemError.message(code)));"
                + " requests are sent there without that check")
    }

    /// The loop with the fewest connections; the lowest index among equals.
    func leastLoaded() -> Int {
        var best = 0
        var fewest = Int.max
        for (index, share) in shares.enumerated() {
            let count = share.connections.load(ordering: .relaxed)
            if count < fewest {
                best = index
                fewest = count
            }
        }
        return best
    }

    /// Counts a new connection for the loop that it is assigned to.
    func connectionOpened(worker: Int) {
        connections.add(1, ordering: .relaxed)
        shares[worker].connections.add(1, ordering: .relaxed)
    }

    /// Counts a connection out; wakes the accepting loop, or ends the drain after the last one.
    func connectionClosed(worker: Int) {
        shares[worker].connections.subtract(1, ordering: .relaxed)
        countOut()
    }

    /// Counts a connection to a process, or an open file; false: the maximum is reached.
    func takeUpstream(limit: Int) -> Bool {
        if upstreams.add(1, ordering: .relaxed).newValue <= limit { return true }
        giveUpstream()
        return false
    }

    func giveUpstream() { upstreams.subtract(1, ordering: .relaxed) }

    /// More connections may come from elsewhere: no drain ends until `sourceEnded`.
    func sourceOpened() { connections.add(1, ordering: .relaxed) }

    func sourceEnded() { countOut() }

    private func countOut() {
        let left = connections.subtract(1, ordering: .acquiringAndReleasing).newValue
        if acceptingPaused.load(ordering: .relaxed),
            acceptingPaused.exchange(false, ordering: .acquiringAndReleasing)
        {
            shares[0].mailbox.post(.acceptAgain)
        }
        if left == 0, isDraining.load(ordering: .acquiring) { finishDrain() }
    }

    /// Starts the drain; `done` is called once, from any thread, when no connection is left.
    func drain(
        until deadline: Int64, _ purpose: DrainPurpose,
        _ done: @escaping @Sendable () -> Void
    ) {
        drained.withLock { $0 = done }
        for share in shares {
            share.mailbox.post(.drain(until: deadline, purpose))
        }
    }

    /// The accepting loop has stopped: no connection is on its way to another loop.
    func acceptingEnded() {
        isDraining.store(true, ordering: .sequentiallyConsistent)
        if connections.load(ordering: .sequentiallyConsistent) == 0 { finishDrain() }
    }

    /// Stops all loops; `done` is called once, when the last has stopped and the log is written, if
    /// possible.
    func stop(_ done: @escaping @Sendable () -> Void) {
        stopped.withLock { $0 = done }
        for share in shares { share.mailbox.post(.stop) }
    }

    /// A loop has stopped and touches nothing any more.
    func loopEnded(_ index: Int) {
        shares[index].pulse.end()
        let left = loopsRunning.subtract(1, ordering: .acquiringAndReleasing).newValue
        guard left == 0, let done = stopped.withLock({ $0 }) else { return }
        if let accessLog {
            accessLog.flush(done)
        } else {
            done()
        }
    }

    private func finishDrain() {
        let done = drained.withLock { waiting in
            let done = waiting
            waiting = nil
            return done
        }
        done?()
    }
}

/// The values that one loop publishes to the others.
final class WorkerShare: Sendable {
    let mailbox: Mailbox<WorkerMessage>
    let counters = Counters()
    let groupTallies = GroupTallies()
    let connections = Atomic<Int>(0)
    /// Idle connections to FastCGI processes, each of which may hold a worker.
    let keptRecords = Atomic<Int>(0)
    /// Bytes in its buffers, as last published.
    let bufferedBytes = Atomic<Int>(0)
    let pulse: Pulse

    init(name: String, mailbox: Mailbox<WorkerMessage>) {
        self.mailbox = mailbox
        pulse = Pulse(name: name)
    }
}
