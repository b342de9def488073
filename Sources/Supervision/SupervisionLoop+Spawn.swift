internal import Backends
internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Where a new process is told to listen.
    private enum Place {
        case socket(String)
        case port(UInt16)

        private static let loopback = "127.0.0.1"

        var processAddress: ProcessAddress {
            switch self {
            case .socket(let path): .unix(path: path)
            case .port(let port): .tcp(host: Self.loopback, port: port)
            }
        }

        func socketAddress() throws(SystemError) -> SocketAddress {
            switch self {
            case .socket(let path): try .unix(path)
            case .port(let port): try .tcp(Self.loopback, port)
            }
        }

        /// A port that was free a moment ago, and that none of ours was told.
        ///
        /// Another program may take it before the process does; then the process fails to listen and
        /// ends, as a rule, and is started anew with another port. Sockets have no such race.
        static func freePort(besides taken: Set<UInt16>) throws(SpawnFailure) -> Place {
            for _ in 0..<16 {
                do {
                    let listener = try ListeningSocket(try .tcp(loopback, 0), backlog: 1)
                    let port = UInt16(truncatingIfNeeded: listener.address.port)
                    listener.close()
                    if port != 0 && !taken.contains(port) { return .port(port) }
                } catch {
                    throw SpawnFailure(error)
                }
            }
            throw SpawnFailure(errno: EADDRINUSE, step: "free port")
        }
    }

    /// Starts a process for a place of the registry, or reports at once why it could not.
    func spawn(_ key: ProcessKey) {
        precondition(idsByKey[key] == nil, "a handle names one process only")
        guard let launch = launches[key.group] else {
            preconditionFailure("an external group starts no process")
        }
        let group = groups[key.group]
        do {
            let process = try launchProcess(launch, key)
            processes[process.id] = process
            idsByKey[key] = process.id
            published[key] = ProcessDirectory.Entry(pid: process.child.pid, lines: process.lines)
            group.spawned(
                key.handle, incarnation: Incarnation(entropy.word()), label: process.label,
                pid: process.child.pid, address: process.address, now: now())
        } catch {
            group.exited(key.handle, ExitReport(reason: "\(error)"), now: now())
        }
    }

    /// The time of a fact: a turn that spawns takes long enough for the loop's own to be stale.
    func now() -> MonotonicInstant { MonotonicInstant(nanoseconds: Clock.monotonic()) }

    private func launchProcess(
        _ launch: LaunchSpec, _ key: ProcessKey
    ) throws(SpawnFailure) -> ManagedProcess {
        let label = freshLabel()
        let place =
            launch.wantsPort
            ? try Place.freePort(besides: portsInUse())
            : .socket(try socketPath(for: launch, label: label))
        let address: SocketAddress
        do {
            address = try place.socketAddress()
        } catch {
            throw SpawnFailure(error)
        }
        let (child, cgroup) = try start(launch, at: place, label: label)
        lastID += 1
        let process = ManagedProcess(
            id: lastID, key: key, child: child, label: label, address: place.processAddress,
            probe: ReadinessProbe(
                address: address, user: launch.userOfSocket, now: Clock.monotonic()),
            groupName: launch.groupName, log: log, cgroup: cgroup)
        watch(process, launch, address: address, isReady: false)
        do {
            try loop.add(child.pidfd, token: Source.exit.token(process.id))
            try loop.add(child.output, token: Source.output.token(process.id))
            try loop.add(child.errors, token: Source.errors.token(process.id))
        } catch {
            // Unwatched it cannot be kept. It has been running for microseconds.
            mooring_kill_and_reap(child.pid)
            if let cgroup { cgroups.retire(cgroup, now: Clock.monotonic()) }
            mooring_close(child.pidfd)
            process.closePipes(now: Clock.monotonic())
            throw SpawnFailure(error)
        }
        return process
    }

    private func socketPath(
        for launch: LaunchSpec, label: String
    ) throws(SpawnFailure) -> String {
        guard let account = launch.isolation.account, launch.userOfSocket != nil else {
            return directory.socketPath(label: label)
        }
        return try directory.socketPath(label: label, for: account)
    }

    /// The child in a cgroup of its own where it can have one.
    private func start(
        _ launch: LaunchSpec, at place: Place, label: String
    ) throws(SpawnFailure) -> (ChildProcess, Cgroup?) {
        var command = command(of: launch, at: place, label: label)
        command.isolation = launch.isolation
        command.cgroup = makeCgroup(launch, label: label)
        do {
            let child = try ChildProcess.spawn(command, input: input)
            if child.isInCgroup { return (child, command.cgroup) }
            if let unused = command.cgroup { cgroups.retire(unused, now: Clock.monotonic()) }
            return (child, nil)
        } catch {
            if let unused = command.cgroup { cgroups.retire(unused, now: Clock.monotonic()) }
            throw error
        }
    }

    private func command(
        of launch: LaunchSpec, at place: Place, label: String
    ) -> ChildProcess.Command {
        var socket: String?
        var port: UInt16?
        switch place {
        case .socket(let path): socket = path
        case .port(let number): port = number
        }
        return ChildProcess.Command(
            arguments: launch.arguments(socket: socket, port: port, label: label),
            environment: launch.environmentEntries(
                socket: socket, port: port, label: label,
                notifySocket: notifications.socket?.path),
            directory: launch.directory, path: launch.environment["PATH"] ?? "")
    }

    private func freshLabel() -> String {
        while true {
            let label = ProcessLabel.make(from: entropy.word())
            if !processes.values.contains(where: { $0.label == label }) { return label }
        }
    }

    private func portsInUse() -> Set<UInt16> {
        var ports: Set<UInt16> = []
        for process in processes.values {
            switch process.address {
            case .tcp(_, let port): ports.insert(port)
            case .unix: break
            }
        }
        return ports
    }
}
