internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Supervision

/// The running balancer: creates, connects, starts and stops its parts in the right order.
///
/// Everything that can fail (keys, folders, addresses) is acquired before the first process is
/// started, so a failed start leaves nothing behind.
final class Balancer: Sendable {
    /// The inputs of a run.
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

    let plan: ServingPlan
    private let predecessor: Predecessor?
    let lock: RuntimeLock
    let log: Logger
    let manager: ServiceManager
    private let developer: DeveloperRun?
    let groups: ServingGroups
    let proxy: Proxy
    let supervisor: Supervisor
    let reloader: Reloader
    let source: LiveSource
    private let heartbeat: Heartbeat
    let admin: AdminServer
    let successors: SuccessorListener
    let events: WaitingQueue<Event>

    /// Creates the parts; binds the data plane's addresses, but serves nothing.
    ///
    /// - Parameter predecessor: the balancer to take over from; it releases its processes in here,
    ///   after everything else that can fail.
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
        func makeRetired(_ index: Int, _ policy: GroupPolicy) -> Group {
            Group(
                index: index, policy: policy, seed: entropy.word(), executor: relay, budget: budget,
                now: .now)
        }
        var retired = supervisor.retiredGroups()
        groups.add(retired, makeRetired)
        let settings = plan.proxySettings(
            keyring: context.keyring, retired: retired.map(\.policy.name))
        let proxy = try Proxy(
            settings, groups: groups.all,
            inherited: try InheritedSockets.all(from: predecessor, context.manager),
            errors: ProgramLog.current?.writer,
            onProblem: { text, suppressed in
                log.warning(
                    "\(text)", metadata: suppressed > 0 ? ["suppressed": .number(suppressed)] : [:])
            }, onErrors: { relay.hear($0) })
        if let predecessor {
            // Failures must show while the predecessor still serves.
            try AdminAddress.check(configuration.admin.address, takenFrom: predecessor.admin)
            try predecessor.handOver()
            // A reload may have retired others meanwhile.
            let late = supervisor.retiredGroups(besides: Set(retired.map(\.policy.name)))
            groups.add(late, makeRetired)
            retired += late
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
                started: configuration),
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
        supervisor.attach(groups: groups.all, retired: retired)
        supervisor.watchServers(
            secure: plan.secureServers(indices: Array(configuration.groups.indices)),
            names: configuration.dns)
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
            groups.start(log: log)
            try proxy.start()
            try receiveConnections()
            try successors.start()
            try heartbeat.start(manager)
            try developer?.attend(groups, reloader, log: log)
        } catch {
            removeSockets()
            throw error
        }
        let addresses = proxy.listeningAddresses.joined(separator: ", ")
        let note = plan.descriptors?.note ?? ""
        let line = "mooring: serving on \(addresses), admin on \(adminAddress)\(note)\n"
        // The reader of standard output may hang, which must not keep the main thread from its
        // signals.
        do {
            try LoopThread.start(name: "greeting") { Terminal.write(line) }
        } catch {
            Terminal.write(line)
        }
        manager.notify("READY=1", "STATUS=serving on \(addresses)", "MAINPID=\(getpid())")
        return waitForEnd()
    }

    /// Serves the connections of the predecessor, while that finishes its requests.
    private func receiveConnections() throws {
        guard let predecessor else { return }
        try LoopThread.start(name: "takeover") { [proxy, log] in
            predecessor.receiveConnections(log: log) { proxy.receive($0) }
            proxy.expectNoMore()
        }
    }

    /// Removes socket files after a failed start; a complete run removes its own.
    private func removeSockets() {
        admin.removeSocket()
        successors.removePath()
        for case .address(.unix(let path)) in plan.configuration.listeners.map(\.address) {
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
}
