internal import Backends

extension Configuration.Group {
    /// Stands for all that a process of the group is started with; nil for external servers.
    ///
    /// Two configurations with one fingerprint need no new generation: what differs between them
    /// (queues, timeouts, `processes`, `output`, `max_memory`…) holds for running processes too.
    /// The text is 16 hexadecimal digits and the same in every run of the program, so that it may
    /// be kept in state files. It is no proof against somebody who wants two launches to look
    /// alike, nor does it hide the environment from somebody who can guess: files that hold it are
    /// to be readable by their owner only.
    ///
    /// - Parameter environment: the whole environment that the processes get: base, `pass_env`
    ///   and `env` together.
    package func launchFingerprint(environment: [String: String]) -> String? {
        guard let launch else { return nil }
        var hash = StableHash()
        hash.add("mooring launch 1")
        hash.add(name)
        hash.add(launch.application)
        // Both are told to the process, by its environment or its arguments.
        hash.add("\(policy.threads)")
        hash.add(launch.processesGiven ? "multiprocess" : "single")
        hash.add(launch.directory)
        hash.add(environment)
        hash.add(launch.isolation)
        // It is arranged for at the start of a process.
        hash.add(launch.onExit.rawValue)
        return hash.text
    }
}

extension StableHash {
    fileprivate mutating func add(_ application: Configuration.Application) {
        switch application {
        case .wsgi(let application, let server, let python):
            add(["wsgi", application, server.rawValue, python])
        case .command(let words):
            add("command")
            add(words)
        }
    }

    fileprivate mutating func add(_ isolation: Configuration.Isolation) {
        add([isolation.user ?? "", isolation.group ?? ""])
        add(isolation.supplementaryGroups)
        add(String(isolation.umask, radix: 8))
        add(
            isolation.limits.mapValues { limit in
                switch limit {
                case .unlimited: "unlimited"
                case .atMost(let most): "\(most)"
                }
            })
    }
}
