internal import Logging
internal import Reactor

extension SupervisionLoop {
    func openSocketWatch() {
        do {
            try probes.sockets.open()
            guard let descriptor = probes.sockets.descriptor else { return }
            try loop.add(descriptor, token: EventSource.socket.token(0))
        } catch {
            probes.sockets.close()
            log.debug("sockets that appear are polled for, without events: \(error)")
        }
    }

    /// A process begins to start: arms an event for its socket.
    func watchSocket(of process: ManagedProcess) {
        guard process.endpoint.socket != nil else { return }
        armSocketWatch(now: Clock.monotonic())
    }

    func armSocketWatchIfDue(now: Int64) {
        if let time = probes.sockets.armAt, time <= now { armSocketWatch(now: now) }
    }

    /// A file has appeared: probes all starting processes that may have created it.
    func socketAppeared() {
        probes.sockets.fire()
        lookForSockets(now: Clock.monotonic())
    }

    /// Arms the next event, and probes once for what appeared before.
    private func armSocketWatch(now: Int64) {
        var directories: Set<String> = []
        for process in processes.values {
            guard case .starting = process.phase, let path = process.endpoint.socket,
                let slash = path.lastIndex(of: "/")
            else { continue }
            directories.insert(String(path[..<slash]))
        }
        let isWatched = probes.sockets.arm(directories, now: now)
        for process in processes.values {
            guard case .starting(var probe) = process.phase else { continue }
            probe.isWatched = isWatched
            process.phase = .starting(probe)
        }
        if isWatched { lookForSockets(now: now) }
    }

    /// Probes in this turn those that may have created a socket.
    private func lookForSockets(now: Int64) {
        for process in processes.values where process.endpoint.socket != nil {
            guard case .starting(var probe) = process.phase else { continue }
            probe.lookAgain(now: now)
            process.phase = .starting(probe)
        }
    }
}
