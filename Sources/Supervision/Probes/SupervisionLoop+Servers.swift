internal import Backends
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Starts to check the servers that have health checks, and stops checking others.
    func watchServers() {
        if adoption.hasLeft { return }
        probes.servers.set(
            groups.enumerated().flatMap { index, group in
                group.checkedServers.map { (group: index, server: $0) }
            }, now: Clock.monotonic())
    }

    func askServersIfDue(now: Int64) {
        guard let next = probes.servers.nextDeadline, next <= now else { return }
        for id in probes.servers.ids {
            let outcome = probes.servers.advance(id, now: now, jitter: jitter())
            if let outcome { follow(outcome, ofServer: id) }
        }
    }

    func serverReported(_ id: UInt64) {
        let outcome = probes.servers.connectionReported(
            id, now: Clock.monotonic(), scratch: &output.scratch)
        if let outcome { follow(outcome, ofServer: id) }
    }

    private func follow(_ outcome: ServerWatch.Outcome, ofServer id: UInt64) {
        guard let watch = probes.servers[id] else { return }
        let location = (try? watch.server.address.socketAddress().text) ?? "its address"
        switch outcome {
        case .nothing: break
        case .unable(let error): logScarcity(error)
        case .answered(let result, let objection, let isNews):
            if let objection, isNews {
                let path = watch.server.health.path
                let what = path.isEmpty ? "" : " at \(path)"
                log.about(group: groups[watch.group].name).warning(
                    "server \(location) fails its health check\(what): \(objection)")
            }
            if watch.foundNothing {
                logMissingPath(
                    watch.server.health.path, group: watch.group,
                    "server \(location)")
            }
            groups[watch.group].checked(
                watch.server.process, result, now: now())
        case .asks:
            guard let check = watch.check else { return }
            do {
                try loop.add(
                    check.descriptor, token: EventSource.server.token(id), writable: true)
            } catch {
                probes.servers.end(id)
                logScarcity(error)
            }
        }
    }
}
