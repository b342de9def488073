internal import AdminAPI
internal import Backends

/// Carries out the commands of the admin API.
final class LiveControls: AdminControls {
    private let groups: ServingGroups
    private let reloader: Reloader

    init(groups: ServingGroups, reloader: Reloader) {
        self.groups = groups
        self.reloader = reloader
    }

    func restart(group name: String) throws(AdminRefusal) -> Int {
        reloader.restart(try spawned(name))
    }

    func scale(group name: String, minimum: Int, maximum: Int) throws(AdminRefusal) {
        guard (0...10_000).contains(minimum), (1...10_000).contains(maximum), minimum <= maximum
        else {
            throw .invalid(
                "set min from 0, max from 1 to 10000, and min not above max; these are"
                    + " \(minimum) and \(maximum)")
        }
        try spawned(name).scale(minimum: minimum, maximum: maximum, now: .now)
    }

    func reset(group name: String) throws(AdminRefusal) { try find(name).reset(now: .now) }

    func drain(process name: String, timeout: Interval?) throws(AdminRefusal) -> String {
        let (label, group, process) = try find(process: name)
        group.drain(process, timeout: timeout, now: .now)
        return label
    }

    func stop(process name: String) throws(AdminRefusal) -> String {
        let (label, group, process) = try find(process: name)
        group.stop(process, now: .now)
        return label
    }

    func up(process name: String) throws(AdminRefusal) -> String {
        let (label, group, process) = try find(process: name)
        guard !group.snapshot(now: .now).isSpawned else {
            throw .invalid(
                "the process \(label) was started by Mooring, which starts another in its place:"
                    + " only servers are put back into service")
        }
        group.bringBack(process, now: .now)
        return label
    }

    func reload() async throws(AdminRefusal) -> ReloadReport { try reloader.reload() }

    private func find(_ name: String) throws(AdminRefusal) -> Group {
        guard let found = groups.find(name) else {
            let names = groups.snapshots(now: .now).map(\.name).joined(separator: ", ")
            throw .noSuchGroup(names)
        }
        return found.group
    }

    private func spawned(_ name: String) throws(AdminRefusal) -> Group {
        let group = try find(name)
        guard group.snapshot(now: .now).isSpawned else {
            throw .invalid("the servers of \(name) were not started by Mooring")
        }
        return group
    }

    private func find(
        process name: String
    ) throws(AdminRefusal) -> (String, Group, ProcessHandle) {
        let label = try ProcessName(name).find(in: groups.labels)
        // It may have exited meanwhile.
        guard let found = groups.process(label) else { throw .noSuchProcess(name) }
        return (label, found.group, found.process)
    }
}
