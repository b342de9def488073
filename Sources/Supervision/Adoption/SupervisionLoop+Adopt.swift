internal import Backends
internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor
internal import Settings

/// Taking over the processes of an earlier balancer, before the groups start their own.
extension SupervisionLoop {
    /// Goes over the state directory: who is alive and wanted is adopted, who is alive and not
    /// wanted is stopped, what is left of the dead is removed.
    ///
    /// Nobody is signalled whose identity is not proven: boot, pid namespace, pid and start time.
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

    /// One file of the state directory.
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
            log.info("process \(label) of another boot or container is gone; removed its record")
            return forget(record)
        }
        // Of two balancers with one state directory each looks after its own.
        // Our runtime directory is nobody else's.
        if record.runtimeDirectory != directory.path, !record.isLeft,
            ProcessIdentity.exists(record.balancer)
        {
            return
        }
        if record.stage == .intended {
            // Its balancer ended while it was spawned. The label tells, if it was.
            guard let instance = ProcessIdentity.leader(labelled: label) else {
                return forget(record)
            }
            record.process = instance
        }
        guard let pidfd = ProcessIdentity.open(record.process) else { return forget(record) }
        // Every process of ours leads a session, which it can never leave.
        guard getsid(record.process.pid) == record.process.pid else {
            mooring_close(pidfd)
            return forget(record)
        }
        decide(on: record, pidfd: pidfd)
    }

    /// A living process that is the one of its record.
    private func decide(on record: ProcessRecord, pidfd: Int32) {
        if let objection = objection(to: record) {
            return stopLeftover(record, pidfd: pidfd, because: objection)
        }
        guard let group = group(of: record), let launch = launching.table.newest(group: group)
        else {
            log.warning(
                """
                group \(record.group) is not in the configuration any more, so the sessions on its process \
                \(record.label) are lost; to keep sessions of a group, remove it with a reload, and restart \
                when `mooring status` shows it no longer
                """)
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
        if record.hasBeenReady, !isListening(at: address, user: listener(of: record, launch)) {
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
            isStale: record.fingerprint != launch.fingerprint, wasReady: record.hasBeenReady,
            wasDraining: record.stage == .draining, sessionHold: record.sessionHold,
            isShared: isShared(record),
            wasOrphaned: !record.isLeft, sessions: record.sessions, age: age)
        guard let handle = groups[group].adopt(adopted, now: now()) else {
            return stopLeftover(record, pidfd: pidfd, because: "its group has no room for it")
        }
        takeOver(
            record, as: ProcessKey(group: group, handle: handle), pidfd: pidfd, launch, address)
    }

    /// Why a process is not to be adopted though it lives; nil: nothing speaks against it.
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
        // Who starts as root may become somebody else by itself.
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

    /// Manages it from now on like a child; it is ready as soon as it was.
    private func takeOver(
        _ record: ProcessRecord, as key: ProcessKey, pidfd: Int32, _ launch: LaunchSpec,
        _ address: SocketAddress
    ) {
        let fifos = OutputFifos(label: record.label, in: record.runtimeDirectory)
        let (output, errors) = (OutputFifos.reopen(fifos.output), OutputFifos.reopen(fifos.errors))
        let pid = record.process.pid
        if output == nil || errors == nil {
            log.warning(
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
                        endpoint: endpoint, user: listener(of: record, launch),
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
        if endsWithUs(launch) { guardProcess(process) }
        watch(process, launch, address: address, isReady: record.hasBeenReady)
        do {
            try register(process)
        } catch {
            // As one that ended: its entry is free, and it is made to end in fact.
            log.error("the adopted pid \(pid) cannot be watched and is killed: \(error)")
            stopGroup(of: process, SIGKILL)
            closePidfd(of: process.child)
            process.phase = .collected(.unknown, readUntil: 0)
        }
        if !record.hasBeenReady { beginStart(of: process) }
        log.info("adopted process \(record.label) (pid \(pid)) of group \(record.group)")
    }

    /// The spawned group of that name.
    private func group(of record: ProcessRecord) -> Int? {
        (0..<min(launching.table.count, groups.count)).first {
            launching.table.newest(group: $0)?.groupName == record.group
        }
    }

    /// The user that must be the one who listens; nil: whoever does.
    private func listener(of record: ProcessRecord, _ launch: LaunchSpec) -> UInt32? {
        launch.userOfSocket == nil ? nil : record.user
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
            // A full queue of connections, or a lack of descriptors of our own.
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
