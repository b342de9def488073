internal import Logging

extension Logger {
    /// For lines about a group: they carry its name as metadata, as the registry's events do.
    func about(group name: String) -> Logger {
        var log = self
        log[metadataKey: "group"] = "\(name)"
        return log
    }

    /// For lines about a process of a group.
    func about(_ process: ManagedProcess) -> Logger { about(group: process.groupName) }

    /// For lines about a process of an earlier balancer.
    func about(_ record: ProcessRecord) -> Logger { about(group: record.group) }
}
