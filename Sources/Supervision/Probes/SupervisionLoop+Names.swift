internal import Backends
internal import Logging
internal import Reactor

/// Names of servers: each is looked up again when its answer holds no longer.
extension SupervisionLoop {
    /// Starts to look up the names that the groups have.
    func watchNames() {
        if adoption.hasLeft { return }
        let wanted = groups.enumerated().flatMap { index, group in
            group.namedServers.map { (group: index, place: $0) }
        }
        probes.names.set(wanted, now: Clock.monotonic())
    }

    func lookUpIfDue(now: Int64) {
        guard let next = probes.names.nextDeadline, next <= now else { return }
        probes.names.resolver?.advance(nil)
        do {
            try probes.names.ask(now: now)
        } catch {
            log.warning("names of servers cannot be looked up: \(error.sentence)")
        }
        followNames()
    }

    /// A socket to a name server has an event.
    func nameReported(_ descriptor: Int32) {
        probes.names.resolver?.advance(descriptor)
        followNames()
    }

    private func followNames() {
        guard let resolver = probes.names.resolver else { return }
        for socket in resolver.takeSockets() {
            do {
                let token = EventSource.name.token(UInt64(socket.descriptor))
                try socket.register(in: loop, token: token)
            } catch {
                logScarcity(error)
            }
        }
        let answers = resolver.takeAnswers()
        for answer in answers { take(answer) }
        if !answers.isEmpty { watchServers() }
    }

    private func take(_ answer: NameResolver.Answer) {
        let pause = probes.names.service.pause(ttl: answer.failure.isEmpty ? answer.ttl : 0)
        for index in probes.names.watches.indices
        where probes.names.watches[index].name == answer.name
            && probes.names.watches[index].nextAt == nil
        {
            let watch = probes.names.watches[index]
            let hasFailed = !answer.failure.isEmpty
            probes.names.watches[index].nextAt = Clock.monotonic() + pause.nanoseconds
            probes.names.watches[index].isFailing = hasFailed
            let group = groups[watch.group]
            if hasFailed {
                group.unresolved(watch.place, now: now())
                if watch.isFailing { continue }
                log.about(group: group.name).warning(
                    """
                    the name \(answer.name) cannot be looked up: \(answer.failure); the addresses \
                    that are known of it are kept
                    """)
            } else {
                if watch.isFailing {
                    log.about(group: group.name).notice(
                        "the name \(answer.name) can be looked up again")
                }
                group.resolved(watch.place, to: answer.addresses, now: now())
            }
        }
    }
}
