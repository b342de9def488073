package import Backends
package import Reactor
package import Settings
internal import Synchronization

/// The data plane: listens, balances, and delivers the registry's orders to waiters.
package final class Proxy: Sendable {
    private let shared: SharedState
    private let workers: Workers
    /// The sockets that are listened on, by their index in the settings.
    private let listeners: Mutex<Listeners>

    /// Binds all addresses and creates the loops; serves nothing before `start`.
    ///
    /// - Parameters:
    ///   - inherited: sockets that listen already, by their names in the settings; others are
    ///     ignored.
    ///   - errors: the writer of standard error, for an access log that goes there.
    ///   - onProblem: logs problems of the loops.
    ///   - onErrors: takes what applications write to stderr over FastCGI, on a loop's thread.
    /// - Throws: `ProxyError`, which names what failed.
    package init(
        _ settings: ProxySettings, groups: [Group],
        inherited: [ListenerAddress: ListeningSocket] = [:],
        errors: LineWriter? = nil, onProblem: @escaping LogThrottle.Report,
        onErrors: @escaping @Sendable (ErrorText) -> Void = { _ in }
    ) throws(ProxyError) {
        var listeners = Listeners(inherited: inherited)
        let sockets = try listeners.replace(with: settings.listeners)
        var settings = settings
        settings.noteSecurePort(sockets)
        do {
            let count = settings.workers > 0 ? settings.workers : Processors.count
            let loops = try (0..<count).map { _ throws(SystemError) in try EventLoop() }
            let logThrottle = LogThrottle(onProblem)
            let log: AccessLogWriter? =
                settings.accessLog.destination == .off
                ? nil
                : try AccessLogWriter(
                    settings.accessLog.destination, errors: errors, logThrottle: logThrottle)
            let shared = SharedState(
                settings: settings, groups: groups,
                shares: loops.enumerated().map { index, loop in
                    WorkerShare(name: "proxy-\(index)", mailbox: Mailbox(waker: loop.waker))
                },
                accessLog: log, logThrottle: logThrottle, onErrors: onErrors)
            self.shared = shared
            workers = Workers(
                loops.enumerated().map { index, loop in
                    let worker = Worker(index: index, shared: shared, loop: loop)
                    if index == 0 { worker.acceptor.adopt(sockets) }
                    return worker
                })
        } catch {
            listeners.closeAll()
            throw ProxyError(doing: "start the data plane", because: error)
        }
        self.listeners = Mutex(listeners)
    }

    /// The listening addresses as configured, with the real port if 0 was requested.
    package var listeningAddresses: [String] {
        listeners.withLock { $0.sockets.compactMap { $0?.address.text } }
    }

    /// The listening sockets, for a successor that takes them over.
    package var listeningSockets: [(address: ListenerAddress, socket: ListeningSocket)] {
        listeners.withLock { listeners in
            zip(listeners.addresses, listeners.sockets).compactMap { address, socket in
                guard let address, let socket else { return nil }
                return (address, socket)
            }
        }
    }

    /// Starts the loop threads; called once.
    package func start() throws(ProxyError) {
        for (share, worker) in zip(shared.shares, workers.all) {
            let box = Workers([worker])
            do {
                try LoopThread.start(name: share.pulse.name) { box.all[0].run() }
            } catch {
                throw ProxyError(doing: "start a thread", because: error)
            }
        }
    }

    /// Delivers orders to waiters; any thread.
    package func carryOut(_ orders: [TrafficOrder], group: Int) {
        for order in orders {
            switch order {
            case .grant(let tag, let grant):
                shared.shares[Placement.worker(of: tag)].mailbox.post(
                    .granted(tag, grant, group: group))
            case .refuse(let tag, let refusal):
                shared.shares[Placement.worker(of: tag)].mailbox.post(.refused(tag, refusal))
            }
        }
    }

    /// Closes the idle connections to a process that is told to end, as it may not before they have ended.
    ///
    /// None is kept from then on, as the registry knows of it. Of FastCGI only: others notice by themselves.
    package func letGo(of process: ProcessHandle, group: Int) {
        for share in shared.shares where share.keptRecords.load(ordering: .relaxed) > 0 {
            share.mailbox.post(.letGo(process, group: group))
        }
    }

    /// Applies changed settings; active connections and requests continue.
    ///
    /// Listeners and groups keep their indices: nil stands for a removed listener, and a removed
    /// group keeps its entry. The number of workers, limits bounded by open files and the access
    /// log's destination keep their values from the start.
    ///
    /// - Throws: `ProxyError` when a new address cannot be bound; nothing has changed then.
    package func reconfigure(_ settings: ProxySettings, groups: [Group]) throws(ProxyError) {
        let sockets = try listeners.withLock { listeners throws(ProxyError) in
            try listeners.replace(with: settings.listeners)
        }
        var settings = settings
        settings.noteSecurePort(sockets)
        settings.workers = shared.settings.workers
        settings.limits.connections = shared.settings.limits.connections
        settings.upstreams = shared.settings.upstreams
        settings.accessLog.destination = shared.settings.accessLog.destination
        let change = Reconfiguration(settings: settings, groups: groups, listeners: sockets)
        for share in shared.shares { share.mailbox.post(.reconfigure(change)) }
    }

    /// Stops listening, closes idle connections and lets the others finish until the deadline.
    ///
    /// `done` is called once, from any thread, when no connection is left.
    package func drain(
        until deadline: MonotonicInstant, _ purpose: DrainPurpose,
        _ done: @escaping @Sendable () -> Void
    ) {
        shared.drain(until: deadline.nanoseconds, purpose, done)
    }

    /// Counts what a drain waits for; `done` is called once, from a loop's thread, unless `stop`
    /// comes first.
    package func countWaiting(_ done: @escaping @Sendable (WaitingCounts) -> Void) {
        let tally = WaitingTally(loops: shared.shares.count, done)
        for share in shared.shares { share.mailbox.post(.count(tally)) }
    }

    /// Another balancer will send connections: no drain ends before `expectNoMore`.
    package func expectConnections() { shared.sourceOpened() }

    /// The other balancer has exited; call it once after each `expectConnections`.
    package func expectNoMore() { shared.sourceEnded() }

    /// Serves a connection that another balancer has begun to serve.
    ///
    /// It is closed if its listener no longer exists.
    package func receive(_ moved: MovedConnection) {
        let listener = listeners.withLock { $0.addresses.firstIndex(of: moved.listener) }
        guard let listener else { return moved.socket.close() }
        let target = shared.leastLoaded()
        shared.connectionOpened(worker: target)
        shared.shares[target].mailbox.post(.moved(moved, listener))
    }

    /// Stops the loops; open connections are closed.
    ///
    /// `done` is called when the access log is written; possibly never, if its reader hangs.
    package func stop(_ done: @escaping @Sendable () -> Void) {
        shared.stop(done)
    }

    /// Closes the access log and opens it again by name.
    package func reopenLogs() { shared.accessLog?.reopen() }

    /// Sends every loop a liveness check.
    package func checkLiveness(now: Int64) {
        for share in shared.shares where share.pulse.ask(now: now) {
            share.mailbox.post(.livenessCheck)
        }
    }

    /// The liveness of the loops.
    package var pulses: [Pulse] { shared.shares.map(\.pulse) }

    /// The counts since the start.
    package func statistics() -> ProxyStatistics {
        var statistics = ProxyStatistics(summing: shared.shares.map(\.counters))
        for share in shared.shares { share.groupTallies.add(to: &statistics.groups) }
        statistics.traffic[.logLinesDropped] &+= shared.accessLog?.dropped ?? 0
        return statistics
    }
}

/// The loops, until each is passed to its thread.
private struct Workers: @unchecked Sendable {
    // Sendable: created by one thread, which passes each to its own thread and touches none again.
    let all: [Worker]

    init(_ all: [Worker]) { self.all = all }
}
