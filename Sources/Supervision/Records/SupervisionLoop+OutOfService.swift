internal import Backends
internal import Logging

/// The servers that an administrator has taken out of service are so after a restart too.
extension SupervisionLoop {
    func rememberServers(_ servers: [OutOfService], group: Int) {
        guard !adoption.hasLeft, let directory = records.directory else { return }
        do {
            try directory.write(servers, ofGroup: groups[group].name)
        } catch {
            log.about(group: groups[group].name).error(
                """
                the state directory cannot be written: \(error.sentence); servers that are out of \
                service will be in service after a restart
                """)
        }
    }

    /// Takes out those that are recorded, before the first request.
    func takeOutServers() {
        guard let directory = records.directory else { return }
        let time = now()
        for group in groups {
            let servers = directory.serversOut(ofGroup: group.name)
            if !servers.isEmpty { group.takeOutAgain(servers, now: time) }
        }
    }
}
