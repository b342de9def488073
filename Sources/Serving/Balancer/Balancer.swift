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
final class Balancer: Sendable {
    /// What a run is made from.
    struct Context: Sendable {
        var keyring: Keyring
        var access: AdminAccess
        /// Read again by a reload; nil: the configuration came from the command line.
        var file: String?
        var environment: [String: String]
        var tickets: TLSTicketKeys
        var manager: ServiceManager
        var log: Logger
        /// Nil: an operator runs it.
        var developer: DeveloperRun?
    }

    private let plan: ServingPlan
    private let predecessor: Predecessor?
    private let lock: RuntimeLock
    private let log: Logger
    private let manager: ServiceManager
    private let developer: DeveloperRun?
    private let groups: ServingGroups
    private let proxy: Proxy
    private let supervisor: Supervisor
    private let reloader: Reloader
    private let source: LiveSource
    private let heartbeat: Heartbeat
    private let admin: AdminServer
    private let successors: SuccessorListener
    private let events: WaitingQueue<Event>

    /// What the end waits for the access log to be written, in microseconds.
    private static let lastLines: useconds_t = 1_500_000

    /// What the main thread waits for.
    enum Event: Sendable {
        case signal(Int32)
        case successor(SuccessorListener.Successor)
        case adminEnded(String)
        /// The application of a developer does not start, and why.
        case applicationFailed(String)
        /// The last client connection is gone, or its time is up.
        case drained
        /// The last process is gone.
        case processesGone
        /// The access log is written.
        case closed
    }

    /// Makes the parts; the data plane's addresses are bound, nothing is served.
    ///
    /// - Parameter predecessor: the balancer to take over from; it lets go in here, when all else
    ///   that can fail has been done.
    /// - Throws: `ServingError`, `SupervisionError`, `ProxyError`: one sentence each.
    init(
        _ plan: ServingPlan, _ context: Context, predecessor: Predecessor?
    ) throws {
        let log = context.log
        let events = WaitingQueue<Event>()
        let relay = OrderRelay()
        let configuration = plan.configuration
        supervisor = try Supervisor(
            runtimeDirectory: configuration.runtimeDirectory,
            stateDirectory: configuration.stateDirectory, launches: plan.launches, log: log,
            onSignal: { events.post(.signal($0)) })
        let lock =
            try predecessor == nil ? RuntimeLock(folder: configuration.runtimeDirectory) : nil
        let budget = SpawnBudget(
            concurrency: plan.spawnConcurrency, maxProcesses: configuration.maxProcesses)
        var entropy = Entropy()
        let entries = configuration.groups.enumerated().map { index, group in
            ServingGroups.Entry(
                group: Group(
                    index: index, policy: group.policy, seed: entropy.word(), executor: relay,
                    budget: budget, now: .now),
                configuration: group, launchFingerprint: plan.launches[index]?.fingerprint)
        }
        let groups = ServingGroups(entries)
        let settings = plan.proxySettings(keyring: context.keyring)
        let proxy = try Proxy(
            settings, groups: groups.all,
            inherited: try InheritedSockets.all(from: predecessor, context.manager),
            errors: ProgramLog.current?.writer,
            onMishap: { text, unsaid in
                log.warning("\(text)", metadata: unsaid > 0 ? ["unsaid": .number(unsaid)] : [:])
            })
        if let predecessor {
            // What cannot be had is to be known while the other one serves.
            try AdminAddress.check(configuration.admin.address, takenFrom: predecessor.admin)
            try predecessor.handOver()
        }
        if predecessor != nil { proxy.expectConnections() }
        self.lock = try lock ?? RuntimeLock(folder: configuration.runtimeDirectory)
        successors = try SuccessorListener(
            runtimeFolder: configuration.runtimeDirectory, admin: configuration.admin.address,
            log: log, sockets: { proxy.listeningSockets },
            onReady: { events.post(.successor($0)) })
        let decisions = DecisionLog()
        reloader = Reloader(
            file: context.file, environment: context.environment,
            tickets: context.tickets,
            parts: .init(
                groups: groups, proxy: proxy, supervisor: supervisor, budget: budget,
                relay: relay, access: context.access,
                adminAddress: configuration.admin.address),
            current: .init(plan: plan, settings: settings), log: log)
        let node = HostName.current
        heartbeat = Heartbeat(proxy: proxy, supervisor: supervisor)
        source = LiveSource(
            node: node, proxy: proxy, supervisor: supervisor, groups: groups,
            decisions: decisions, heartbeat: heartbeat)
        var adminSettings = AdminSettings(
            address: configuration.admin.address, access: context.access)
        if plan.descriptors?.isScarce == true {
            adminSettings.connections = DescriptorPlan.fewAdminConnections
            adminSettings.reserve = DescriptorPlan.fewAdminConnections / 4
        }
        admin = AdminServer(
            settings: adminSettings,
            node: node, source: source,
            controls: LiveControls(groups: groups, reloader: reloader), log: log)
        relay.connect(
            .init(
                proxy: proxy, supervisor: supervisor, groups: groups,
                events: EventLog(log: log, decisions: decisions) { [context] event in
                    let reason = context.developer?.reasonToEnd(after: event)
                    if let reason { events.post(.applicationFailed(reason)) }
                }))
        supervisor.attach(groups: groups.all)
        self.predecessor = predecessor
        self.proxy = proxy
        self.groups = groups
        self.plan = plan
        self.log = log
        self.manager = context.manager
        developer = context.developer
        self.events = events
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
            for group in groups.all { group.start(now: .now) }
            try proxy.start()
            try receiveConnections()
            try successors.start()
            try heartbeat.start(manager)
            try developer?.watch(groups, reloader, log: log)
        } catch {
            removeSockets()
            throw error
        }
        let addresses = proxy.listeningAddresses.joined(separator: ", ")
        let note = plan.descriptors?.note ?? ""
        let line = "mooring: serving on \(addresses), admin on \(adminAddress)\(note)\n"
        // Nobody may be reading, which is not to keep the main thread from its signals.
        do {
            try LoopThread.start(name: "greeting") { Terminal.write(line) }
        } catch {
            Terminal.write(line)
        }
        manager.notify("READY=1", "STATUS=serving on \(addresses)", "MAINPID=\(getpid())")
        return waitForEnd()
    }

    /// Goes on with the connections of the balancer that was taken over, while that ends what it has.
    private func receiveConnections() throws {
        guard let predecessor else { return }
        try LoopThread.start(name: "takeover") { [proxy, log] in
            predecessor.receiveConnections(log: log) { proxy.receive($0) }
            proxy.expectNoMore()
        }
    }

    /// What a start that failed leaves no file of; the end of a whole run removes its own.
    private func removeSockets() {
        admin.removeSocket()
        successors.removePath()
        for case .address(.unix(let path)) in plan.configuration.listeners.map(\.place) {
            unsafe unlink(path)
        }
    }

    private func startAdmin() throws -> String {
        let admin = admin
        let events = events
        Task {
            do {
                try await admin.run()
                events.post(.adminEnded("it ended"))
            } catch {
                events.post(.adminEnded("\(error)"))
            }
        }
        return try waitFor { try await admin.waitUntilBound() }
    }

    /// How often the log says what the end of the program waits for, in seconds.
    private static let reportInterval = 5

    /// Says what the end waits for, so that nobody has to guess why it takes its time.
    private func report(_ wait: Shutdown.Wait) {
        let log = log
        switch wait {
        case .nothing:
            break
        case .clients:
            proxy.countWaiting { counts in
                let text = counts.text
                if text.isEmpty { return }
                log.notice("still waiting for \(text); a second signal stops at once")
            }
        case .processes:
            let waits = groups.all.map { ($0.name, $0.snapshot(now: .now).processes.count) }
                .filter { $0.1 > 0 }.map { "\($0.1) of group \($0.0)" }.joined(separator: ", ")
            if waits.isEmpty { return }
            log.notice("still waiting for processes to end: \(waits); a second signal kills them")
        }
    }

    /// The main thread's loop.
    private func waitForEnd() -> Int32 {
        var shutdown = Shutdown()
        while true {
            let event =
                shutdown.wait == .nothing
                ? events.next() : events.next(within: Self.reportInterval)
            switch event {
            case nil:
                report(shutdown.wait)
            case .signal(let signal):
                carryOut(shutdown.received(signal))
            case .successor(let successor):
                guard shutdown.leave() == .leave else { continue }
                log.notice("handing over to a new balancer; requests in flight are finished here")
                leave(to: successor)
            case .adminEnded(let reason):
                // After a handing over it has nothing to listen on.
                if shutdown.isLeaving { continue }
                log.critical("the admin API has ended", metadata: ["reason": "\(reason)"])
            case .applicationFailed(let reason):
                let order = shutdown.giveUp()
                if order == .none { continue }
                log.critical("\(reason)")
                carryOut(order)
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
        case .leave:
            log.notice("ending without the processes: the next balancer takes them over")
            leave(to: nil)
        case .stopProcesses:
            stopProcesses()
        case .killProcesses:
            log.notice("stopping at once")
            stopProcesses()
            supervisor.killAll()
        case .close:
            close()
        case .reopenLogs:
            proxy.reopenLogs()
            supervisor.reopenOutput()
            log.info("access log opened anew")
        case .reload:
            reload()
        }
    }

    private func reload() {
        manager.notify("RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        do {
            _ = try reloader.reload()
        } catch {
            switch error {
            case .badConfiguration(let problems), .invalid(let problems):
                log.error("nothing was changed: \(problems)")
            case .noSuchGroup, .noSuchProcess:
                log.error("nothing was changed")
            }
        }
        manager.notify("READY=1")
    }

    private func drain() {
        log.notice(
            "shutting down: requests in flight are finished",
            metadata: ["at_most": .span(plan.configuration.timeouts.drain)])
        manager.notify("STOPPING=1")
        successors.removePath()
        source.beginDraining()
        let events = events
        let deadline = MonotonicInstant.now + plan.configuration.timeouts.drain
        proxy.drain(until: deadline, .end) { events.post(.drained) }
    }

    /// Leaves the processes to the next balancer; what is in flight is finished here.
    private func leave(to successor: SuccessorListener.Successor?) {
        source.beginDraining()
        let admin = admin
        // First, for it takes a moment, and clients are served meanwhile.
        _ = try? waitFor { await admin.stopListening() }
        let events = events
        let connections = successor?.connections
        var purpose = DrainPurpose.leave
        if let connections { purpose = .handOver { connections.send($0) } }
        proxy.drain(until: .now + plan.configuration.timeouts.drain, purpose) {
            guard let connections else { return events.post(.drained) }
            // The last may be on their way still.
            connections.finish { events.post(.drained) }
        }
        supervisor.leave()
        // The manager takes that from the main process only (NotifyAccess=main), which is this one.
        if let process = successor?.process { manager.notify("MAINPID=\(process)", "READY=1") }
        admin.removeSocket()
        successors.removePath()
        lock.release()
        do {
            try successor?.answer()
        } catch {
            log.error("kept connections cannot be handed over: \(error)")
            events.post(.drained)
        }
    }

    private func close() {
        // A successor has put its own in their places by now.
        if !lock.isLetGo {
            admin.removeSocket()
            successors.removePath()
            let folder = plan.configuration.runtimeDirectory
            for file in Supervisor.hostFiles(inRuntimeDirectory: folder) { unsafe unlink(file) }
        }
        let events = events
        // The first of the two counts: who reads the access log may have stopped reading.
        proxy.stop { events.post(.closed) }
        do {
            try LoopThread.start(name: "end") {
                usleep(Self.lastLines)
                events.post(.closed)
            }
        } catch {
            events.post(.closed)
        }
    }

    /// Orders every process to end and waits for that beside the main thread.
    private func stopProcesses() {
        for group in groups.all { group.shutDown(now: .now) }
        let supervisor = supervisor
        let events = events
        do {
            try LoopThread.start(name: "shutdown") {
                supervisor.stop()
                events.post(.processesGone)
            }
        } catch {
            log.error("no thread to wait for the processes: \(error)")
            supervisor.stop()
            events.post(.processesGone)
        }
    }
}
