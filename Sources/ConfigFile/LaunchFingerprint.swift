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
        guard launch != nil else { return nil }
        var hash = StableHash()
        hash.add("mooring launch 1")
        hash.add(name)
        for part in Self.launchParts { part.add(self, environment, &hash) }
        return hash.text
    }

    /// What the keys add, in the order that holds for ever.
    private static let launchParts = keys.compactMap(\.launch).sorted { $0.position < $1.position }
}
