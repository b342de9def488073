internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Starts a process for an entry of the registry, or reports why it could not.
    func spawn(_ key: ProcessKey, generation: Int) {
        guard let launch = launching.table.launch(group: key.group, generation: generation) else {
            preconditionFailure("an external group starts no process")
        }
        let incarnation = Incarnation(entropy.word())
        do {
            let process = try launchProcess(launch, key, generation, incarnation)
            processes.enter(process)
        } catch {
            groups[key.group].exited(key.handle, ExitReport(reason: "\(error)"), now: now())
        }
    }

    /// Registers for events of its exit and its output.
    func register(_ process: ManagedProcess) throws(SystemError) {
        try loop.add(process.child.pidfd, token: EventSource.exit.token(process.id))
        if process.output.isOpen {
            try loop.add(process.output.descriptor, token: EventSource.output.token(process.id))
        }
        if process.errors.isOpen {
            try loop.add(process.errors.descriptor, token: EventSource.errors.token(process.id))
        }
    }

    /// The time of a fact: spawning takes long enough for the turn's own time to be stale.
    func now() -> MonotonicInstant { MonotonicInstant(nanoseconds: Clock.monotonic()) }

    private func launchProcess(
        _ launch: LaunchSpec, _ key: ProcessKey, _ generation: Int, _ incarnation: Incarnation
    ) throws(SpawnFailure) -> ManagedProcess {
        let label = freshLabel()
        let endpoint = try endpoint(for: launch, label: label)
        let address: SocketAddress
        do {
            address = try endpoint.first.socketAddress()
        } catch {
            throw SpawnFailure(error)
        }
        let record = intend(
            launch, key, generation: generation, label: label, incarnation: incarnation,
            endpoint: endpoint)
        let started: (child: ChildProcess, exec: PendingExec, cgroup: Cgroup?)
        do {
            started = try start(launch, at: endpoint, label: label)
        } catch {
            removeFiles(label: label, address: endpoint.file, runtime: directory.path)
            throw error
        }
        let process = ManagedProcess(
            id: processes.makeID(), key: key, child: started.child, label: label,
            endpoint: endpoint,
            phase: .launching(
                .init(
                    probe: ReadinessProbe(
                        endpoint: endpoint, user: launch.userOfSocket, asking: probes.listeners,
                        now: Clock.monotonic()),
                    incarnation: incarnation, until: execDeadline())),
            groupName: launch.groupName, user: launch.isolation.account?.user ?? geteuid(),
            log: log, cgroup: started.cgroup)
        process.record = record
        if endsWithUs(launch.onExit) { guardProcess(process) }
        let startTime = ProcessIdentity.startTime(of: started.child.pid) ?? 0
        updateRecord(of: process) { record in
            record.process = ProcessInstance(pid: started.child.pid, startTime: startTime)
            record.stage = .starting
        }
        watch(process, launch, address: address, isReady: false)
        do {
            try launching.follow(started.exec, of: process.id, on: loop)
            try register(process)
        } catch {
            giveUp(process)
            throw SpawnFailure(error)
        }
        return process
    }

    /// A process that cannot be watched cannot be kept; it has been running for microseconds.
    private func giveUp(_ process: ManagedProcess) {
        release(process)
        process.closePipes(now: Clock.monotonic())
        removeFiles(label: process.label, address: process.endpoint.file, runtime: directory.path)
    }

    /// Starts the child in its own cgroup if possible.
    private func start(
        _ launch: LaunchSpec, at endpoint: ListeningEndpoint, label: String
    ) throws(SpawnFailure) -> (ChildProcess, PendingExec, Cgroup?) {
        // The child has its own descriptor when it has been started.
        let listener = try inheritedSocket(of: endpoint)
        defer { listener?.leave() }
        var command = command(of: launch, at: endpoint, label: label)
        command.isolation = launch.isolation
        if records.directory != nil {
            command.fifos = OutputFifos(label: label, in: directory.path)
        }
        command.cgroup = makeCgroup(launch, label: label)
        do {
            let (child, exec) = try ChildProcess.spawn(
                command, input: listener?.descriptor ?? launching.input)
            if child.isInCgroup { return (child, exec, command.cgroup) }
            if let unused = command.cgroup {
                reaping.cgroups.retire(unused, now: Clock.monotonic())
            }
            return (child, exec, nil)
        } catch {
            if let unused = command.cgroup {
                reaping.cgroups.retire(unused, now: Clock.monotonic())
            }
            throw error
        }
    }

    /// The socket that the process is to find as descriptor 0; nil: it makes its own.
    private func inheritedSocket(
        of endpoint: ListeningEndpoint
    ) throws(SpawnFailure) -> ListeningSocket? {
        guard endpoint.isInherited, let path = endpoint.socket else { return nil }
        do {
            let listener = try ListeningSocket(try .unix(path))
            try listener.waitInAccept()
            return listener
        } catch {
            throw SpawnFailure(error)
        }
    }

    private func command(
        of launch: LaunchSpec, at endpoint: ListeningEndpoint, label: String
    ) -> ChildProcess.Command {
        ChildProcess.Command(
            arguments: launch.arguments(endpoint, label: label),
            environment: launch.environmentEntries(
                endpoint, label: label, notifySocket: notifications.socket?.path),
            directory: launch.directory, path: launch.environment["PATH"] ?? "")
    }

    private func freshLabel() -> String {
        while true {
            let label = ProcessLabel.make(from: entropy.word())
            if !processes.values.contains(where: { $0.label == label }) { return label }
        }
    }
}
