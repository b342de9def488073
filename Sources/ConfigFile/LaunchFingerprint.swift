internal import Backends

extension Configuration.Group {
    /// Identifies everything that a process of the group is started with; nil for external servers.
    ///
    /// Two configurations with the same fingerprint need no new generation: what differs between
    /// them (queues, timeouts, `processes`, `output`, `max_memory`…) applies to running processes
    /// too. The text is 16 hexadecimal digits and the same in every run of the program, so state
    /// files can store it. It is not cryptographic: an attacker can construct two launches with one
    /// fingerprint, or guess the environment from it. Files that store it must be readable by their
    /// owner only.
    ///
    /// - Parameter environment: the complete environment of the processes: base, `pass_env` and
    ///   `env` together.
    package func launchFingerprint(environment: [String: String]) -> String? {
        guard launch != nil else { return nil }
        var hash = StableHash()
        hash.add("mooring launch 1")
        hash.add(name)
        for part in Self.launchParts { part.add(self, environment, &hash) }
        return hash.text
    }

    /// The contributions of all keys, in an order that must never change.
    private static let launchParts = keys.compactMap(\.launch).sorted { $0.position < $1.position }
}
