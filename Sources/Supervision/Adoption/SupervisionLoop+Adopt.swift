internal import Backends
internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor
internal import Settings

/// Taking over the processes of an earlier balancer, before the groups start their own.
extension SupervisionLoop {
    /// Processes the records of the state directory: living processes that are wanted are adopted,
    /// other living ones are stopped, and the files of dead ones are removed.
    ///
    /// A process is signalled only if its identity is verified: boot, pid namespace, pid and start
    /// time.
    func adoptProcesses() {
        let labels = records.directory?.labels() ?? []
        for label in labels { lookAfter(label) }
        let kept =
            processes.values.map { ($0.label, $0.address) }
            + adoption.leftovers.values.map { ($0.record.label, $0.record.address) }
        let paths = kept.compactMap { _, address in
            if case .unix(let path) = address { path } else { nil }
        }
        for path in directory.removeStaleSockets(keeping: Set(paths)) {
            log.info("removed the stale socket \(path)")
        }
        OutputFifos.removeStale(in: directory, keeping: Set(kept.map(\.0)))
    }

    /// Handles one file of the state directory.
    private func lookAfter(_ label: String) {
        guard let store = records.directory else { return }
        var record: ProcessRecord
        do {
            record = try store.read(label)
        } catch {
            log.warning(
                """
                ignored \(store.path)/\(label): \(error.sentence); it is not a record that this \
                balancer may trust, and can be removed
                """)
            return
        }
        guard record.boot == records.boot else {
            log.about(record).info(
                "process \(label) of another boot or container is gone; removed its record")
            return forget(record)
        }
        // Of two balancers with one state directory each looks after its own.
        if record.isAnothers(than: directory) { return }
        if record.stage == .intended {
            // The balancer exited while spawning it. If it was spawned, its label is in its
            // environment.
            guard let instance = ProcessIdentity.leader(labelled: label) else {
                return forget(record)
            }
            record.process = instance
        }
        guard let pidfd = ProcessIdentity.open(record.process) else { return forget(record) }
        // Every process that Mooring starts leads a session, which it cannot leave.
        guard getsid(record.process.pid) == record.process.pid else {
            mooring_close(pidfd)
            return forget(record)
        }
        decide(on: record, pidfd: pidfd)
    }

    /// Decides about a living process that matches its record.
    private func decide(on record: ProcessRecord, pidfd: Int32) {
        if let objection = objection(to: record) {
            return stopLeftover(record, pidfd: pidfd, because: objection)
        }
        guard let home = home(of: record) else {
            return stopLeftover(
                record, pidfd: pidfd,
                because: "the configuration has no such group that starts processes")
        }
        let address: SocketAddress
        do {
            address = try record.address.socketAddress()
        } catch {
            return stopLeftover(record, pidfd: pidfd, because: "its address is not valid: \(error)")
        }
        if record.hasBeenReady, !isListening(at: address, user: listener(of: record, home)) {
            return stopLeftover(
                record, pidfd: pidfd, because: "it does not listen at its address any more")
        }
        if record.hasBeenReady {
            let tree = ProcessTree(
                leader: record.process.pid, label: record.label, cgroup: cgroup(of: record))
            var listener: UInt64?
            if case .foreign(let user) = PortHolder.of(address, tree, known: &listener) {
                return stopLeftover(
                    record, pidfd: pidfd,
                    because: PortHolder.objection(to: record.address, heldBy: user))
            }
        }
        let age = Interval(nanoseconds: ProcessIdentity.age(ofStart: record.process.startTime))
        let adopted = AdoptedProcess(
            incarnation: record.incarnation, label: record.label, pid: record.process.pid,
            address: record.address, generation: record.generation,
            isStale: record.fingerprint != home.fingerprint, wasReady: record.hasBeenReady,
            wasDraining: record.stage == .draining, wasRetired: record.isRetired,
            drainUntil: record.drainUntil.map(MonotonicInstant.init(nanoseconds:)),
            hadSessions: record.sessions.count > 0 ? true : record.hasSessions,
            sessionHold: record.sessionHold,
            isShared: isShared(record),
            wasOrphaned: !record.isLeft, sessions: record.sessions, age: age)
        guard let handle = groups[home.index].adopt(adopted, now: now()) else {
            return stopLeftover(record, pidfd: pidfd, because: "its group has no room for it")
        }
        takeOver(
            record, as: ProcessKey(group: home.index, handle: handle), pidfd: pidfd, home, address)
    }

    /// Why a living process must not be adopted; nil: it may be.
    private func objection(to record: ProcessRecord) -> String? {
        switch record.stage {
        case .intended: return "its balancer ended before it had started it"
        case .stopping: return "it was being stopped"
        case .starting, .ready, .draining: break
        }
        if record.onExit == .kill && !record.isLeft {
            return "its group has on_exit = \"kill\", and its balancer ended unexpectedly"
        }
        let pid = record.process.pid
        // A process started as root may change its user itself.
        if record.user != 0, ProcessIdentity.user(of: pid) != record.user {
            return "it runs as another user than it was started as"
        }
        if let label = ProcessIdentity.label(of: pid), label != record.label {
            return "it calls itself \(PrintableText.quoted(label))"
        }
        if processes.values.contains(where: { $0.child.pid == pid }) {
            return "another record names it too"
        }
        return nil
    }

    /// Manages the process from now on like a child; it is ready if it was ready before.
    private func takeOver(
        _ record: ProcessRecord, as key: ProcessKey, pidfd: Int32, _ home: Home,
        _ address: SocketAddress
    ) {
        let fifos = OutputFifos(label: record.label, in: record.runtimeDirectory)
        let (output, errors) = (OutputFifos.reopen(fifos.output), OutputFifos.reopen(fifos.errors))
        let pid = record.process.pid
        if output == nil || errors == nil {
            log.about(record).warning(
                "the output of the adopted pid \(pid) cannot be read: \(fifos.output) is not there")
        }
        let endpoint = ListeningEndpoint(record)
        let process = ManagedProcess(
            id: processes.makeID(), key: key,
            child: ChildProcess(
                pid: pid, pidfd: pidfd, output: output ?? -1, errors: errors ?? -1,
                startTime: record.process.startTime),
            label: record.label, endpoint: endpoint,
            phase: record.hasBeenReady
                ? .running
                : .starting(
                    ReadinessProbe(
                        endpoint: endpoint, user: listener(of: record, home),
                        asking: probes.listeners, now: Clock.monotonic())),
            groupName: record.group, user: record.user, log: log,
            cgroup: cgroup(of: record))
        process.address = record.address
        processes.enter(process)
        process.record = record
        updateRecord(of: process) { record in
            record.balancer = records.balancer
            record.isLeft = false
        }
        if endsWithUs(home.launch?.onExit ?? record.onExit) { guardProcess(process) }
        if let launch = home.launch {
            watch(process, launch, address: address, isReady: record.hasBeenReady)
            updateRecord(of: process) { $0.retirement = launch.retirement }
        } else {
            process.isUnwatched = true
            redirect(process, to: record.outputFile, group: record.group)
        }
        do {
            try register(process)
        } catch {
            // Treat it as exited: its entry is free, and it is killed.
            log.about(process).error(
                "the adopted pid \(pid) cannot be watched and is killed: \(error)")
            stopGroup(of: process, SIGKILL)
            closePidfd(of: process.child)
            process.phase = .collected(.unknown, readUntil: 0)
        }
        if !record.hasBeenReady { beginStart(of: process) }
        log.about(process).info(
            "adopted process \(record.label) (pid \(pid)) of group \(record.group)")
    }

    /// The user that must be the one who listens; nil: whoever does.
    private func listener(of record: ProcessRecord, _ home: Home) -> UInt32? {
        guard let launch = home.launch else {
            return record.user == geteuid() ? nil : record.user
        }
        return launch.userOfSocket == nil ? nil : record.user
    }

    private func cgroup(of record: ProcessRecord) -> Cgroup? {
        CgroupTree.holding(
            pid: record.process.pid, group: record.group, label: record.label)
    }

    private func isListening(at address: SocketAddress, user: UInt32?) -> Bool {
        do {
            try address.connect(expecting: user).socket.close()
            return true
        } catch {
            switch error.errno {
            case ECONNREFUSED, ENOENT, ENOTSOCK, EACCES, EPROTOTYPE: return false
            // The backlog is full, or this program lacks descriptors.
            default: return true
            }
        }
    }

    private func forget(_ record: ProcessRecord) {
        removeFiles(
            label: record.label, address: record.address, runtime: record.runtimeDirectory)
    }
}

extension ListeningEndpoint {
    fileprivate init(_ record: ProcessRecord) {
        self.init(record.address, orPort: record.hasBeenReady ? nil : record.port)
    }
}
