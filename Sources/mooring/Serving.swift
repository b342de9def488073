internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Supervision

/// The running balancer: its parts made, connected, started and ended in the right order.
///
/// Everything that can be refused (keys, folders, addresses) is asked for before the first process
/// is started, so a failed start leaves nothing behind.
final class Serving: Sendable {
    private let plan: ServingPlan
    private let lock: RuntimeLock
    private let log: Logger
    private let groups: [Group]
    private let proxy: Proxy
    private let supervisor: Supervisor
    private let source: LiveSource
    private let admin: AdminServer
    private let happenings: WaitingQueue<Happening>

    /// What the main thread waits for.
    enum Happening: Sendable {
        case signal(Int32)
        case adminEnded(String)
        /// The last client connection is gone, or its time is up.
        case drained
        /// The last process is gone.
        case processesGone
        /// The access log is written.
        case closed
    }

    /// Makes the parts; the data plane's addresses are bound, nothing is served.
    ///
    /// - Throws: `CommandFailure`, `SupervisionError`, `ProxyError`: one sentence each.
    init(_ plan: ServingPlan, keyring: Keyring, token: AdminToken?, log: Logger) throws {
        let happenings = WaitingQueue<Happening>()
        let relay = OrderRelay()
        supervisor = try Supervisor(
            runtimeDirectory: plan.configuration.runtimeDirectory, launches: plan.launches,
            log: log,
            onSignal: { happenings.post(.signal($0)) })
        lock = try RuntimeLock(folder: plan.configuration.runtimeDirectory)
        var entropy = Entropy()
        let seeds = plan.policies.map { _ in entropy.word() }
        groups = zip(plan.policies, seeds).enumerated().map { index, pair in
            Group(index: index, policy: pair.0, seed: pair.1, executor: relay, now: .now)
        }
        proxy = try Proxy(plan.proxySettings(keyring: keyring), groups: groups)
        let node = HostName.current
        source = LiveSource(node: node, proxy: proxy, supervisor: supervisor, groups: groups)
        admin = AdminServer(
            settings: AdminSettings(address: plan.configuration.admin.address, token: token),
            node: node,
            source: source, log: log)
        relay.connect(
            .init(
                proxy: proxy, supervisor: supervisor, groups: groups, events: EventLog(log: log)))
        supervisor.attach(groups: groups)
        self.plan = plan
        self.log = log
        self.happenings = happenings
    }

    /// Serves until a signal ends it.
    ///
    /// - Returns: the exit code.
    /// - Throws: as `init`, when something cannot be started; nothing is left running then.
    func run() throws -> Int32 {
        let adminAddress: String
        do {
            adminAddress = try startAdmin()
            try supervisor.start()
            try proxy.start()
        } catch {
            removeSockets()
            throw error
        }
        for group in groups { group.start(now: .now) }
        let addresses = proxy.listeningAddresses.joined(separator: ", ")
        Terminal.write("mooring: serving on \(addresses), admin on \(adminAddress)\n")
        let code = waitForEnd()
        admin.removeSocket()
        let folder = plan.configuration.runtimeDirectory
        for file in Supervisor.hostFiles(inRuntimeDirectory: folder) { unsafe unlink(file) }
        return code
    }

    /// What a start that failed leaves no file of; the end of a whole run removes its own.
    private func removeSockets() {
        admin.removeSocket()
        for case .address(.unix(let path)) in plan.configuration.listeners.map(\.place) {
            unsafe unlink(path)
        }
    }

    private func startAdmin() throws -> String {
        let admin = admin
        let happenings = happenings
        Task {
            do {
                try await admin.run()
                happenings.post(.adminEnded("it ended"))
            } catch {
                happenings.post(.adminEnded("\(error)"))
            }
        }
        return try waitFor { try await admin.waitUntilBound() }
    }

    /// The main thread's loop.
    private func waitForEnd() -> Int32 {
        var shutdown = Shutdown()
        while true {
            switch happenings.next() {
            case .signal(let signal):
                carryOut(shutdown.received(signal))
            case .adminEnded(let reason):
                log.critical("the admin API has ended", metadata: ["reason": "\(reason)"])
            case .drained:
                carryOut(shutdown.drained())
            case .processesGone:
                carryOut(shutdown.processesGone())
            case .closed:
                log.notice("Mooring has stopped")
                return shutdown.exitCode
            }
        }
    }

    private func carryOut(_ order: Shutdown.Order) {
        switch order {
        case .none:
            break
        case .drain:
            drain()
        case .stopProcesses:
            stopProcesses()
        case .killProcesses:
            log.notice("stopping at once")
            stopProcesses()
            supervisor.killAll()
        case .close:
            let happenings = happenings
            proxy.stop { happenings.post(.closed) }
        case .reopenLogs:
            proxy.reopenLogs()
            supervisor.reopenOutput()
            log.info("access log and output files opened anew")
        case .explainReload:
            log.warning("reloading is not possible; restart to read the configuration anew")
        case .explainTakeover:
            log.warning("handing over is not possible; restart to replace this balancer")
        }
    }

    private func drain() {
        log.notice(
            "shutting down: requests in flight are finished",
            metadata: ["at_most": "\(text(plan.configuration.timeouts.drain))"])
        source.beginDraining()
        let happenings = happenings
        proxy.drain(until: .now + plan.configuration.timeouts.drain) { happenings.post(.drained) }
    }

    /// Orders every process to end and waits for that beside the main thread.
    private func stopProcesses() {
        for group in groups { group.shutDown(now: .now) }
        let supervisor = supervisor
        let happenings = happenings
        do {
            try LoopThread.start(name: "shutdown") {
                supervisor.stop()
                happenings.post(.processesGone)
            }
        } catch {
            log.error("no thread to wait for the processes: \(error)")
            supervisor.stop()
            happenings.post(.processesGone)
        }
    }
}

/// The name of this machine.
enum HostName {
    static var current: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
