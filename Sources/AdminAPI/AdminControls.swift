package import Backends

/// The changes that the admin API can make; implemented by the program, called from any thread.
///
/// Every command returns when the change was ordered; its progress is in the snapshot.
package protocol AdminControls: Sendable {
    /// Starts a new generation of a group; returns its number.
    func restart(group: String) throws(AdminRefusal) -> Int
    /// Changes a group's number of processes, until the next reload.
    func scale(group: String, minimum: Int, maximum: Int) throws(AdminRefusal)
    /// Forgets a group's failed starts and their back-off.
    func reset(group: String) throws(AdminRefusal)
    /// Takes a process out of service, by its public label or a prefix; returns the whole label.
    ///
    /// - Parameter timeout: when its last sessions are given up; nil: the group's `drain_timeout`.
    func drain(process: String, timeout: Interval?) throws(AdminRefusal) -> String
    /// Puts a server back into service; named as for `drain`.
    func up(process: String) throws(AdminRefusal) -> String
    /// Stops a process now, with its sessions; named as for `drain`.
    func stop(process: String) throws(AdminRefusal) -> String
    /// Reads the configuration again and applies changes; an invalid one changes nothing.
    func reload() async throws(AdminRefusal) -> ReloadReport
}

/// Why a command was not carried out.
package enum AdminRefusal: Error, Equatable, Sendable {
    case noSuchGroup(String)
    case noSuchProcess(String)
    /// The labels with this prefix.
    case severalProcesses([String])
    /// The command is invalid; one sentence with the remedy.
    case invalid(String)
    /// The configuration is invalid: all problems, one per line.
    case badConfiguration(String)
}

/// The result of a reload.
package struct ReloadReport: Codable, Equatable, Sendable {
    /// Names of groups.
    package var added: [String] = []
    package var removed: [String] = []
    /// Changed in place.
    package var changed: [String] = []
    /// Groups that start a new generation.
    package var restarted: [String] = []
    /// Keys whose change takes effect only when Mooring is restarted or taken over.
    package var needsRestart: [String] = []
    package var warnings: [String] = []

    package init() {}
}
