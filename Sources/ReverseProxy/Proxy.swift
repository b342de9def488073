package import Backends
package import Reactor
package import Settings
internal import Synchronization

/// The data plane: listens, balances, and wakes waiters when the registry says so.
package final class Proxy: Sendable {
    private let shared: SharedState
    private let workers: Workers
    /// The sockets that are listened on, by their index in the settings.
    private let listeners: Mutex<Listeners>

    /// Binds all addresses and makes the loops; nothing is served before `start`.
    ///
    /// - Parameters:
    ///   - inherited: sockets that listen already, by what the settings call them; those that are
    ///     not asked for are left alone.
    ///   - errors: what writes standard error, for an access log that goes there.
    ///   - onMishap: takes what keeps the loops from their work.
    /// - Throws: `ProxyError`, which names what could not be had.
    package init(
        _ settings: ProxySettings, groups: [Group],
        inherited: [ListenerAddress: ListeningSocket] = [:],
        errors: LineWriter? = nil, onMishap: @escaping Mishaps.Report
    ) throws(ProxyError) {
        var listeners = Listeners(inherited: inherited)
        let sockets = try listeners.replace(with: settings.listeners)
        var settings = settings
        settings.noteSecurePort(sockets)
        do {
            let count = settings.workers > 0 ? settings.workers : Processors.count
            let loops = try (0..<count).map { _ throws(SystemError) in try EventLoop() }
            let mishaps = Mishaps(onMishap)
            let log: AccessLogWriter? =
                settings.accessLog.destination == .off
                ? nil
                : try AccessLogWriter(
                    settings.accessLog.destination, errors: errors, mishaps: mishaps)
            let shared = SharedState(
                settings: settings, groups: groups,
                shares: loops.enumerated().map { index, loop in
                    WorkerShare(name: "proxy-\(index)", mailbox: Mailbox(waker: loop.waker))
                },
                accessLog: log, mishaps: mishaps)
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

    /// Where it listens, as in the configuration, with the real port where 0 was asked for.
    package var listeningAddresses: [String] {
        listeners.withLock { $0.sockets.compactMap { $0?.address.text } }
    }

    /// What is listened on, for a successor that takes it over.
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

    /// Wakes waiters; any thread.
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

    /// Goes on under changed settings; connections and requests under way stay.
    ///
    /// Listeners and groups keep their indices: nil stands where a listener was taken away, and a
    /// group that is gone keeps its entry. The number of workers, what is limited by open files and the access
    /// log's destination stay as they were at the start.
    /// - Throws: `ProxyError` when a new address cannot be listened on; nothing is changed then.
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

    /// Stops listening, closes idle connections and lets the others end, at the latest at the deadline.
    ///
    /// `done` is called once, from any thread, when no connection is left.
    package func drain(
        until deadline: MonotonicInstant, _ purpose: DrainPurpose,
        _ done: @escaping @Sendable () -> Void
    ) {
        shared.drain(until: deadline.nanoseconds, purpose, done)
    }

    /// Counts what a drain waits for; `done` is called once, from a loop's thread, unless `stop` comes
    /// before.
    package func countWaiting(_ done: @escaping @Sendable (WaitingCounts) -> Void) {
        let tally = WaitingTally(loops: shared.shares.count, done)
        for share in shared.shares { share.mailbox.post(.count(tally)) }
    }

    /// Another balancer is going to send connections: no drain ends before `expectNoMore`.
    package func expectConnections() { shared.sourceOpened() }

    /// The other balancer has ended; once after each `expectConnections`.
    package func expectNoMore() { shared.sourceEnded() }

    /// Serves a connection that another balancer has begun with.
    ///
    /// One from a listener that there is not any more is closed.
    package func receive(_ moved: MovedConnection) {
        let listener = listeners.withLock { $0.addresses.firstIndex(of: moved.listener) }
        guard let listener else { return moved.socket.close() }
        let target = shared.leastLoaded()
        shared.connectionOpened(worker: target)
        shared.shares[target].mailbox.post(.moved(moved, listener))
    }

    /// Ends the loops; what is still open is closed.
    ///
    /// `done` is called when the access log is written, which may be never: its reader may hang.
    package func stop(_ done: @escaping @Sendable () -> Void) {
        shared.stop(done)
    }

    /// Closes the access log and opens it by its name again.
    package func reopenLogs() { shared.accessLog?.reopen() }

    /// Asks every loop for a sign of life.
    package func askForSigns(now: Int64) {
        for share in shared.shares where share.pulse.ask(now: now) {
            share.mailbox.post(.sign)
        }
    }

    /// The signs of life of the loops.
    package var pulses: [Pulse] { shared.shares.map(\.pulse) }

    /// What was counted since the start.
    package func statistics() -> ProxyStatistics {
        var statistics = ProxyStatistics(summing: shared.shares.map(\.counters))
        for share in shared.shares { share.groupTallies.add(to: &statistics.groups) }
        statistics.traffic[.logLinesDropped] &+= shared.accessLog?.dropped ?? 0
        return statistics
    }
}

/// The loops, until each is handed to its thread.
private struct Workers: @unchecked Sendable {
    // Sendable: made by one thread, which starts one thread for each and touches none again.
    let all: [Worker]

    init(_ all: [Worker]) { self.all = all }
}
