package import Backends
internal import Reactor

/// The data plane: listens, balances, and wakes waiters when the registry says so.
package final class Proxy: Sendable {
    private let shared: SharedState
    /// Where it listens, as in the configuration, with the real port where 0 was asked for.
    package let listeningAddresses: [String]

    /// Binds all addresses and makes the loops; nothing is served before `start`.
    ///
    /// - Throws: `ProxyError`, which names what could not be had.
    package init(_ settings: ProxySettings, groups: [Group]) throws(ProxyError) {
        var listeners: [ListeningSocket] = []
        for place in settings.listeners {
            do {
                listeners.append(try Self.listen(place))
            } catch {
                for listener in listeners { listener.close() }
                throw ProxyError(doing: "listen on \(Self.text(place))", because: error)
            }
        }
        listeningAddresses = listeners.map(\.address.text)
        do {
            let count = settings.workers > 0 ? settings.workers : Processors.count
            let loops = try (0..<count).map { _ throws(SystemError) in try EventLoop() }
            let log: AccessLogWriter? =
                settings.accessLog.destination == .off
                ? nil : try AccessLogWriter(settings.accessLog.destination)
            let shared = SharedState(
                settings: settings, groups: groups,
                shares: loops.map { WorkerShare(mailbox: Mailbox(waker: $0.waker)) },
                accessLog: log)
            self.shared = shared
            workers = Workers(
                loops.enumerated().map { index, loop in
                    let worker = Worker(index: index, shared: shared, loop: loop)
                    if index == 0 { worker.listeners = listeners }
                    return worker
                })
        } catch {
            for listener in listeners { listener.close() }
            throw ProxyError(doing: "start the data plane", because: error)
        }
    }

    /// Starts the loop threads; called once.
    package func start() throws(ProxyError) {
        for (index, worker) in workers.all.enumerated() {
            let box = Workers([worker])
            do {
                try LoopThread.start(name: "proxy-\(index)") { box.all[0].run() }
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
                shared.shares[Worker.worker(of: tag)].mailbox.post(
                    .granted(tag, grant, group: group))
            case .refuse(let tag, let refusal):
                shared.shares[Worker.worker(of: tag)].mailbox.post(.refused(tag, refusal))
            }
        }
    }

    /// Stops listening, closes idle connections and lets the others end, at the latest at the deadline.
    ///
    /// `done` is called once, from any thread, when no connection is left.
    package func drain(until deadline: MonotonicInstant, _ done: @escaping @Sendable () -> Void) {
        shared.drain(until: deadline.nanoseconds, done)
    }

    /// Ends the loops; what is still open is closed.
    ///
    /// `done` is called when the access log is written.
    package func stop(_ done: @escaping @Sendable () -> Void) {
        shared.stop(done)
    }

    /// Closes the access log and opens it by its name again.
    package func reopenLogs() { shared.accessLog?.reopen() }

    /// What was counted since the start.
    package func statistics() -> ProxyStatistics {
        var statistics = ProxyStatistics(summing: shared.shares.map(\.counters))
        statistics.logLinesDropped &+= shared.accessLog?.dropped ?? 0
        return statistics
    }

    private let workers: Workers

    private static func listen(_ place: ProcessAddress) throws(SystemError) -> ListeningSocket {
        switch place {
        case .unix(let path): try ListeningSocket(.unix(path))
        case .tcp(let host, let port): try ListeningSocket(.tcp(host, port))
        }
    }

    private static func text(_ place: ProcessAddress) -> String {
        switch place {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}

/// The loops, until each is handed to its thread.
private struct Workers: @unchecked Sendable {
    // Sendable: made by one thread, which starts one thread for each and touches none again.
    let all: [Worker]

    init(_ all: [Worker]) { self.all = all }
}

/// Why the data plane could not start.
package struct ProxyError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(doing what: String, because error: SystemError) {
        description = "cannot \(what): \(error)"
    }
}
