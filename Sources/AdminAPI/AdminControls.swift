package import Backends

/// What the admin API changes; carried out by the program, called from any thread.
///
/// Every command returns when the change has been ordered; how far it has come is in the snapshot.
package protocol AdminControls: Sendable {
    /// Begins a new generation of a group; its number.
    func restart(group: String) throws(AdminRefusal) -> Int
    /// Changes how many processes a group has, until the next reload.
    func scale(group: String, minimum: Int, maximum: Int) throws(AdminRefusal)
    /// Forgets a group's failed starts and their back-off.
    func reset(group: String) throws(AdminRefusal)
    /// Takes a process out of service, by its public label or the beginning of it; the whole label.
    ///
    /// - Parameter timeout: when its last sessions are given up; nil: the group's `drain_timeout`.
    func drain(process: String, timeout: Interval?) throws(AdminRefusal) -> String
    /// Ends a process now, its sessions with it; named as for `drain`.
    func stop(process: String) throws(AdminRefusal) -> String
    /// Reads the configuration again and applies what has changed; a bad one changes nothing.
    func reload() async throws(AdminRefusal) -> ReloadReport
}

/// Why a command was not carried out.
package enum AdminRefusal: Error, Equatable, Sendable {
    case noSuchGroup(String)
    case noSuchProcess(String)
    /// The labels that begin so.
    case severalProcesses([String])
    /// The command cannot be meant; one sentence that says what would be right.
    case invalid(String)
    /// The configuration is not valid: all problems, a line each.
    case badConfiguration(String)
}

/// What a reload came to.
package struct ReloadReport: Codable, Equatable, Sendable {
    /// Names of groups.
    package var added: [String] = []
    package var removed: [String] = []
    /// Changed in place.
    package var changed: [String] = []
    /// Begin a new generation.
    package var restarted: [String] = []
    /// Keys whose change takes effect only when Mooring is started anew or taken over.
    package var needsRestart: [String] = []
    package var warnings: [String] = []

    package init() {}
}
