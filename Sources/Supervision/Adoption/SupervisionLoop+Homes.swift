internal import Backends
internal import Reactor

/// The groups that processes of an earlier balancer are adopted into.
extension SupervisionLoop {
    /// A group of the configuration, or one that has left it.
    struct Home {
        let index: Int
        /// What its newest processes are started by.
        let fingerprint: String
        /// Nil: it is not in the configuration any more.
        let launch: LaunchSpec?
    }

    /// The group of the record's name, the configuration's before a retired one; nil: there is none.
    func home(of record: ProcessRecord) -> Home? {
        let configured = groups.count - adoption.retired.count
        for index in 0..<configured {
            guard let launch = launching.table.newest(group: index),
                launch.groupName == record.group
            else { continue }
            return Home(index: index, fingerprint: launch.fingerprint, launch: launch)
        }
        return adoption.retired.firstIndex { $0.name == record.group }.map {
            Home(
                index: configured + $0, fingerprint: adoption.retired[$0].fingerprint, launch: nil)
        }
    }

    /// The configuration has a launch for a group, which may have come back: its processes are kept as
    /// it says, and those that it has started before are watched again.
    func takeUp(_ launch: LaunchSpec, group: Int) {
        for process in processes.values where process.key.group == group {
            updateRecord(of: process) { $0.retirement = launch.retirement }
            guard process.isUnwatched, process.record?.fingerprint == launch.fingerprint,
                case .running = process.phase, let address = try? process.address.socketAddress()
            else { continue }
            process.isUnwatched = false
            watch(process, launch, address: address, isReady: true)
        }
    }
}
