internal import Backends
internal import Dispatch
internal import Glibc
internal import Logging
internal import Reactor

/// The loop of supervision's thread: its state, and its turns.
///
/// Nothing in a turn blocks: everything that others can delay is an event with a deadline.
final class SupervisionLoop {
    let loop: EventLoop
    let log: Logger
    /// The directory of the processes' sockets.
    let directory: RuntimeDirectory
    /// By index, which is part of every order.
    private(set) var groups: [any SupervisedGroup]
    var entropy = Entropy()
    var processes: ProcessTable

    // The state of each folder's duty.
    var launching: Launching
    var probes = Probes()
    var notifications = Notifications()
    var output = OutputFiles()
    var records: Records
    var adoption: Adoption
    var reaping = Reaping()
    var memory = MemoryWatch()

    private var inbox: Inbox

    init(
        loop: EventLoop, inbox: Inbox, processes: ProcessDirectory,
        directory: RuntimeDirectory, state: StateDirectory?, launching: Launching,
        adoption: Adoption, groups: [any SupervisedGroup], log: Logger
    ) {
        self.loop = loop
        self.inbox = inbox
        self.processes = ProcessTable(publishedIn: processes)
        self.directory = directory
        records = Records(state)
        self.launching = launching
        self.adoption = adoption
        self.groups = groups
        self.log = log
    }

    /// Runs until it was stopped and every process is gone.
    ///
    /// - Parameter onAdopted: called when the groups know the processes of an earlier balancer.
    func run(onAdopted: () -> Void) {
        do {
            try loop.add(inbox.signals, token: EventSource.signals.token(0))
        } catch {
            log.critical("signals cannot be received: \(error)")
        }
        removeLeftoverCgroups()
        openNotifySocket()
        openSocketWatch()
        adoptProcesses()
        takeOutServers()
        onAdopted()
        watchServers()
        var events: [UInt64] = []
        while !isFinished() {
            events.removeAll(keepingCapacity: true)
            loop.turn(until: nextDeadline()) { token, _ in events.append(token) }
            receiveMail()
            for token in events { handle(token) }
            doWhatIsDue()
            if reaping.strays.sweep.isDue(now: Clock.monotonic()) {
                sweepStrays(sparingTheUnknown: true)
            }
            logHeldReaders()
            reaping.cgroups.removeEmptied(now: Clock.monotonic())
            advanceGroups()
        }
        inbox.pulse.end()
        closeNotifySocket()
        probes.sockets.close()
        probes.servers.leave()
        probes.names.end()
        output.end()
        reaping.guardian.dismiss()
        reaping.strays.close()
    }

    private func receiveMail() {
        for message in inbox.takeMail() {
            switch message {
            case .orders(let orders, let group):
                for order in orders { carryOut(order, group: group) }
            case .killAll:
                for process in processes.values { stopGroup(of: process, SIGKILL) }
                adoption.leftovers.killDue(now: .max)
            case .reopenOutput:
                output.reopen()
            case .launch(let launch, let group, let generation):
                launching.table.set(launch, group: group, generation: generation)
                takeUp(launch, group: group)
            case .grow(let launches, let groups):
                launching.table.grow(to: launches)
                self.groups += groups.dropFirst(self.groups.count)
            case .watchServers(let secure, let names):
                probes.servers.secureServers = secure
                probes.names.set(names, now: Clock.monotonic())
                watchNames()
                watchServers()
            case .heard(let bytes, let key, let name, let label):
                hear(bytes, of: key, name: name, label: label)
            case .leave(let answer):
                leave()
                answer.signal()
            case .livenessCheck:
                inbox.pulse.answer()
            case .stop:
                inbox.isStopping = true
            }
        }
    }

    private func carryOut(_ order: SupervisionOrder, group: Int) {
        switch order {
        case .spawn(let handle, _, let generation):
            let key = ProcessKey(group: group, handle: handle)
            if adoption.hasLeft { return refuse(key) }
            spawn(key, generation: generation)
        case .terminate(let handle, _):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.stage = .stopping }
                stopGroup(of: process, SIGTERM)
                // A suspended process would not receive the signal.
                process.child.signalGroup(SIGCONT)
            }
        case .kill(let handle, let reason):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                if reason == .startTimeout { logStartTimeout(process) }
                stopGroup(of: process, SIGKILL)
            }
        case .rememberDraining(let handle, let reason, let until):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { record in
                    record.stage = .draining
                    record.isRetired = reason == .retired
                    record.drainUntil = until.nanoseconds
                }
            }
        case .rememberServing(let handle):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { record in
                    record.stage = .ready
                    record.isRetired = false
                    record.drainUntil = nil
                }
            }
        case .rememberHold(let handle, let span):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                updateRecord(of: process) { $0.sessionHold = span }
            }
        case .remember(let handle, let sessions):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                remember(sessions, of: process)
            }
        case .rememberUse(let handle, let isInUse):
            if let process = process(ProcessKey(group: group, handle: handle)) {
                rememberUse(isInUse, of: process)
            }
        case .rememberServers(let servers): rememberServers(servers, group: group)
        }
    }

    /// Nil when it is gone already: the order lost a race against the exit.
    private func process(_ key: ProcessKey) -> ManagedProcess? {
        guard let process = processes[key], process.isUncollected else { return nil }
        return process
    }

    private func handle(_ token: UInt64) {
        if token == EventLoop.wakeToken { return }
        let (source, id) = EventSource.split(token)
        switch source {
        case .signals: if inbox.passSignals() { reaping.strays.sweep.want() }
        case .notify: readNotifications()
        case .socket: socketAppeared()
        case .server: serverReported(id)
        case .name: nameReported(Int32(id))
        case .exec: settleExec(id)
        case .stray: reaping.strays.sweep.want()
        case .predecessor: predecessorEnded(Int32(id))
        case .leftover: collectLeftover(id)
        // An earlier event of the turn may have ended the process.
        case .exit: if let process = processes[id] { collectIfEnded(process) }
        case .output: if let process = processes[id] { read(process, .output) }
        case .errors: if let process = processes[id] { read(process, .errors) }
        case .connection: if let process = processes[id] { settleConnection(of: process) }
        case .health: if let process = processes[id] { advanceHealth(of: process) }
        }
    }

    private func doWhatIsDue() {
        let now = Clock.monotonic()
        resumeNotifications(now: now)
        armSocketWatchIfDue(now: now)
        checkMemoryIfDue(now: now)
        measureStartsIfDue(now: now)
        writeDueRecords(now: now)
        adoption.leftovers.killDue(now: now)
        askExpected(now: now)
        lookUpIfDue(now: now)
        askServersIfDue(now: now)
        for process in processes.values {
            guard let deadline = process.nextDeadline, deadline <= now else { continue }
            endLaunchIfDue(process, now: now)
            process.logDropped(now: now)
            resumeReading(process, now: now)
            probeIfDue(process, now: now)
            logIfSlow(process, now: now)
            checkWatchdog(process, now: now)
            checkHealthIfDue(process, now: now)
            endReadingIfDue(process, now: now)
        }
    }

    /// Answers messages that came after the last turn, so that no caller waits for ever.
    func answerLeavers() {
        for case .leave(let answer) in inbox.takeMail() { answer.signal() }
    }

    private func advanceGroups() {
        let now = MonotonicInstant(nanoseconds: Clock.monotonic())
        for group in groups {
            if let deadline = group.nextDeadline, deadline <= now { group.advance(to: now) }
        }
    }

    private func nextDeadline() -> Int64? {
        var earliest = [
            reaping.nextDeadline, notifications.resumeAt, probes.nextDeadline, nextMemoryCheck(),
            nextStartMeasurement, records.writeAt, adoption.nextDeadline,
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

    /// After the last process, its stray descendants are killed as well.
    private func isFinished() -> Bool {
        guard inbox.isStopping && processes.isEmpty && adoption.leftovers.isEmpty else {
            return false
        }
        if adoption.hasLeft { return true }
        sweepStrays(sparingTheUnknown: false)
        reaping.cgroups.removeEmptied(now: .max)
        if reaping.strays.isEmpty && reaping.cgroups.isEmpty { return true }
        guard reaping.strays.haveHadTheirTime(now: Clock.monotonic()) else { return false }
        let left = max(reaping.strays.count, reaping.cgroups.count)
        log.warning("left \(left) killed descendants behind that do not end")
        return true
    }
}
