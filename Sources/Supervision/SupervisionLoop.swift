internal import Backends
internal import CLinux
internal import Dispatch
internal import Logging
internal import Reactor

/// What other threads leave for supervision's loop.
enum SupervisionMessage: Sendable {
    case orders([SupervisionOrder], group: Int)
    case killAll
    case reopenOutput
    case launch(LaunchSpec, group: Int, generation: Int)
    case grow([LaunchSpec?], [any SupervisedGroup])
    case watchServers
    /// Answered by a signal of the semaphore.
    case leave(DispatchSemaphore)
    /// Answered by the loop's pulse.
    case sign
    case stop
}

/// The loop of supervision's thread: its state, and one turn after the other.
///
/// Nothing in a turn waits: whatever others can delay is an event with a deadline.
final class SupervisionLoop {
    /// What a descriptor is: the low bits of its token, below the process's id (or a pid).
    enum Source: UInt64 {
        case signals
        case exit
        /// The end of a child's way to its program.
        case exec
        case output
        case errors
        case connection
        /// The pidfd of a stray descendant that was killed.
        case stray
        case notify
        case health
        /// The pidfd of a process that nobody has a place for.
        case leftover
        /// The pidfd of a balancer that ends.
        case predecessor
        /// Sockets that appear.
        case socket
        /// A health check of an external server.
        case server

        static let bits: UInt64 = 4

        func token(_ id: UInt64) -> UInt64 { id << Self.bits | rawValue }
    }

    let loop: EventLoop
    let directory: RuntimeDirectory
    var launches: LaunchTable
    private(set) var groups: [any SupervisedGroup]
    let log: Logger
    /// `/dev/null`, the children's standard input.
    let input: Int32
    /// The living processes as other threads see them.
    let published: ProcessDirectory
    var processes: [UInt64: ManagedProcess] = [:]
    var idsByKey: [ProcessKey: UInt64] = [:]
    var lastID: UInt64 = 0
    /// Children that have not executed their programs yet, by the processes' ids.
    var pendingExecs: [UInt64: PendingExec] = [:]
    var entropy = Entropy()
    /// Where pipes are read into.
    var scratch = [UInt8](repeating: 0, count: OutputPipe.readSize)
    /// Killed strays that have not been collected yet: pidfds by pid.
    var strays: [Int32: Int32] = [:]
    /// Of ended processes whose descendants may live on as another program's children.
    var orphanLabels: Set<String> = []
    var sweep = Sweep()
    var cgroups = Cgroups()
    var records: Records
    var guardian = Guardian()
    var memoryKills = MemoryKills()
    var leftovers: [UInt64: Leftover] = [:]
    /// Balancers that still finish requests on processes that were adopted from them: pidfds by pid.
    var predecessors: [Int32: Int32] = [:]
    /// After leaving: processes that requests may still wait for here.
    var expected: [ExpectedProcess] = []
    /// Whether the processes are another balancer's by now.
    var hasLeft = false
    var notifications = Notifications()
    var socketWatch = SocketWatch()
    /// External servers that are asked for their health.
    var serverWatches: [UInt64: ServerWatch] = [:]
    /// When the memory of the processes is looked at next.
    var memoryCheckAt: Int64 = 0
    var startActivity = StartActivity()
    /// Until when a lack of descriptors or memory is not told again.
    var scarcityTellAt = Int64.min
    /// Nil: no group has a file for what its processes write.
    var outputWriter: OutputWriter?
    var outputTargets: [String: OutputTarget] = [:]

    private let mailbox: Mailbox<SupervisionMessage>
    private let pulse: Pulse
    private var mail: [SupervisionMessage] = []
    private let signals: Int32
    private let onSignal: @Sendable (Int32) -> Void
    private var isStopping = false
    /// Until when the last strays are waited for; set once all processes are gone.
    private var straysUntil: Int64?
    private static let strayPatience: Int64 = 1_000_000_000

    init(
        loop: EventLoop, mailbox: Mailbox<SupervisionMessage>, pulse: Pulse,
        processes: ProcessDirectory,
        directory: RuntimeDirectory, state: StateDirectory?, launches: [LaunchSpec?],
        groups: [any SupervisedGroup], log: Logger,
        input: Int32, signals: Int32, onSignal: @escaping @Sendable (Int32) -> Void
    ) {
        self.loop = loop
        self.mailbox = mailbox
        self.pulse = pulse
        published = processes
        self.directory = directory
        records = Records(state)
        self.launches = LaunchTable(launches)
        self.groups = groups
        self.log = log
        self.input = input
        self.signals = signals
        self.onSignal = onSignal
    }

    /// Runs until it was told to stop and every process is gone.
    ///
    /// - Parameter onAdopted: called when the groups know what an earlier balancer left.
    func run(onAdopted: () -> Void) {
        do {
            try loop.add(signals, token: Source.signals.token(0))
        } catch {
            log.critical("signals cannot be received: \(error)")
        }
        removeLeftoverCgroups()
        openNotifySocket()
        openSocketWatch()
        adoptProcesses()
        onAdopted()
        watchServers()
        var events: [UInt64] = []
        while !isFinished() {
            events.removeAll(keepingCapacity: true)
            loop.turn(until: nextDeadline()) { token, _ in events.append(token) }
            receiveMail()
            for token in events { handle(token) }
            doWhatIsDue()
            if sweep.isDue(now: Clock.monotonic()) { sweepStrays(sparingTheUnknown: true) }
            tellOfHeldReaders()
            cgroups.removeEmptied(now: Clock.monotonic())
            advanceGroups()
        }
        pulse.end()
        closeNotifySocket()
        socketWatch.close()
        leaveServers()
        outputWriter?.end()
        guardian.dismiss()
        for (_, pidfd) in strays { mooring_close(pidfd) }
    }

    private func receiveMail() {
        mailbox.drain(into: &mail)
        for message in mail {
            switch message {
            case .orders(let orders, let group):
                for order in orders { carryOut(order, group: group) }
            case .killAll:
                for process in processes.values { stopGroup(of: process, SIGKILL) }
                killLeftovers(now: .max)
            case .reopenOutput:
                reopenOutput()
            case .launch(let launch, let group, let generation):
                launches.set(launch, group: group, generation: generation)
            case .grow(let launches, let groups):
                self.launches.grow(to: launches)
                self.groups += groups.dropFirst(self.groups.count)
            case .watchServers:
                watchServers()
            case .leave(let answer):
                leave()
                answer.signal()
            case .sign:
                pulse.answer()
            case .stop:
                isStopping = true
            }
        }
    }

    private func carryOut(_ order: SupervisionOrder, group: Int) {
        switch order {
        case .spawn(let handle, _, let generation):
            let key = ProcessKey(group: group, handle: handle)
            if hasLeft { return refuse(key) }
            spawn(key, generation: generation)
        case .terminate(let handle, _):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.stage = .stopping }
                stopGroup(of: process, SIGTERM)
                // A process that is suspended would not see it.
                process.child.signalGroup(SIGCONT)
            }
        case .kill(let handle, let reason):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                if reason == .startTimeout { tellStartTimeout(process) }
                stopGroup(of: process, SIGKILL)
            }
        case .rememberDraining(let handle):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.stage = .draining }
            }
        case .rememberServing(let handle):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.stage = .ready }
            }
        case .rememberHold(let handle, let span):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.sessionHold = span }
            }
        case .remember(let handle, let sessions):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                remember(sessions, of: process)
            }
        }
    }

    /// Nil when it is gone already: an order that lost the race against the exit.
    private func process(_ key: ProcessKey) -> ManagedProcess? {
        guard let id = idsByKey[key], let process = processes[id], process.isUncollected else {
            return nil
        }
        return process
    }

    private func handle(_ token: UInt64) {
        if token == EventLoop.wakeToken { return }
        let mask = (1 << Source.bits) - 1 as UInt64
        guard let source = Source(rawValue: token & mask) else {
            preconditionFailure("a token of nobody's")
        }
        if source == .signals { return readSignals() }
        if source == .notify { return readNotifications() }
        if source == .socket { return socketAppeared() }
        if source == .server { return serverReported(token >> Source.bits) }
        if source == .exec { return settleExec(token >> Source.bits) }
        if source == .stray {
            sweep.want()
            return
        }
        if source == .predecessor { return predecessorEnded(Int32(token >> Source.bits)) }
        if source == .leftover { return collectLeftover(token >> Source.bits) }
        // Events of one turn may reach a process that an earlier one of them has ended.
        guard let process = processes[token >> Source.bits] else { return }
        switch source {
        case .exit: collectIfEnded(process)
        case .output: read(process, .output)
        case .errors: read(process, .errors)
        case .connection: settleConnection(of: process)
        case .health: advanceHealth(of: process)
        case .signals, .exec, .stray, .notify, .leftover, .predecessor, .socket, .server: break
        }
    }

    private func readSignals() {
        while true {
            let signal = mooring_signalfd_next(signals)
            if signal == 0 { return }
            if signal == SIGCHLD {
                sweep.want()
            } else {
                onSignal(signal)
            }
        }
    }

    private func doWhatIsDue() {
        let now = Clock.monotonic()
        resumeNotifications(now: now)
        armSocketWatchIfDue(now: now)
        checkMemoryIfDue(now: now)
        measureStartsIfDue(now: now)
        writeDueRecords(now: now)
        killLeftovers(now: now)
        askExpected(now: now)
        askServersIfDue(now: now)
        for process in Array(processes.values) {
            guard let deadline = process.nextDeadline, deadline <= now else { continue }
            endLaunchIfDue(process, now: now)
            process.tellDropped(now: now)
            resumeReading(process, now: now)
            probeIfDue(process, now: now)
            tellIfSlow(process, now: now)
            checkWatchdog(process, now: now)
            checkHealthIfDue(process, now: now)
            endReadingIfDue(process, now: now)
        }
    }

    /// Messages that came after the last turn: whoever waits for an answer gets it.
    func answerLeavers() {
        mailbox.drain(into: &mail)
        for case .leave(let answer) in mail { answer.signal() }
    }

    private func advanceGroups() {
        let now = MonotonicInstant(nanoseconds: Clock.monotonic())
        for group in groups {
            if let deadline = group.nextDeadline, deadline <= now { group.advance(to: now) }
        }
    }

    private func nextDeadline() -> Int64? {
        var earliest = [
            straysUntil, sweep.repeatAt, cgroups.repeatAt, notifications.resumeAt,
            socketWatch.armAt, nextMemoryCheck(), nextStartMeasurement, records.writeAt,
            leftovers.values.compactMap(\.killAt).min(),
            nextExpected, nextServerCheck,
        ].compactMap(\.self).min()
        for group in groups {
            guard let next = group.nextDeadline?.nanoseconds else { continue }
            earliest = min(earliest ?? next, next)
        }
        for process in processes.values {
            guard let next = process.nextDeadline else { continue }
            earliest = min(earliest ?? next, next)
        }
        return earliest
    }

    /// After the last process, what descendants it left behind are ended as well.
    private func isFinished() -> Bool {
        guard isStopping && processes.isEmpty && leftovers.isEmpty else { return false }
        if hasLeft { return true }
        sweepStrays(sparingTheUnknown: false)
        cgroups.removeEmptied(now: .max)
        if strays.isEmpty && cgroups.isEmpty { return true }
        let now = Clock.monotonic()
        let until = straysUntil ?? now + Self.strayPatience
        straysUntil = until
        if now < until { return false }
        let left = max(strays.count, cgroups.count)
        log.warning("left \(left) killed descendants behind that do not end")
        return true
    }
}
