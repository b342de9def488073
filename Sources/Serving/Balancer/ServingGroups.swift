internal import Backends
internal import ConfigFile
internal import Synchronization

/// The groups of the running program, by index.
///
/// A reload adds behind the last and retires; none ever moves, since its index is its number in
/// every order, grant and event.
final class ServingGroups: Sendable {
    /// One entry.
    struct Entry: Sendable {
        let group: Group
        /// As it was configured last.
        var configuration: Configuration.Group
        /// Of what its processes are started with; nil: external.
        var launchFingerprint: String?
        /// The generation that served when this fingerprint replaced another, and that other.
        private var former: (generation: Int, fingerprint: String?)?
        /// It is not in the configuration any more.
        var isRetired = false

        init(group: Group, configuration: Configuration.Group, launchFingerprint: String?) {
            self.group = group
            self.configuration = configuration
            self.launchFingerprint = launchFingerprint
        }

        /// What the processes that serve were started with, where a newer generation is still starting
        /// or did not start; nil: they are of the newest.
        func servingFingerprint(_ now: GroupSnapshot) -> String? {
            guard now.rollout != nil, let former, former.generation == now.generation else {
                return nil
            }
            return former.fingerprint
        }

        /// Remembers what serves, before a generation with another fingerprint begins.
        mutating func noteServing() {
            let now = group.snapshot(now: .now)
            former = (now.generation, servingFingerprint(now) ?? launchFingerprint)
        }
    }

    private let entries: Mutex<[Entry]>

    init(_ entries: [Entry]) { self.entries = Mutex(entries) }

    /// All that ever were, by index.
    var all: [Group] { entries.withLock { $0.map(\.group) } }

    /// Those that are configured, or not yet ended.
    private var present: [Group] {
        entries.withLock { entries in
            entries.filter { !$0.isRetired || !$0.group.isStopped }.map(\.group)
        }
    }

    /// What is shown: the groups that are present, each name once.
    func snapshots(now: MonotonicInstant) -> [GroupSnapshot] {
        let entries = snapshot
        var shown: [GroupSnapshot] = []
        // First those that are configured, since they give a name its state.
        let present = entries.filter { !$0.isRetired } + entries.filter { $0.isRetired }
        for entry in present {
            if let known = shown.firstIndex(where: { $0.name == entry.group.name }) {
                shown[known].takeIn(entry.group.snapshot(now: now))
            } else if !entry.isRetired || !entry.group.isStopped {
                shown.append(entry.group.snapshot(now: now))
            }
        }
        return shown
    }

    /// The group at an index; nil when there is none.
    subscript(index: Int) -> Group? {
        entries.withLock { $0.indices.contains(index) ? $0[index].group : nil }
    }

    var snapshot: [Entry] { entries.withLock { $0 } }

    /// The configured group of a name, with its index.
    func find(_ name: String) -> (index: Int, group: Group)? {
        entries.withLock { entries in
            entries.firstIndex { !$0.isRetired && $0.group.name == name }
                .map { ($0, entries[$0].group) }
        }
    }

    /// The public labels of all living processes.
    var labels: [String] {
        let all = present.flatMap { $0.snapshot(now: .now).processes.map(\.label) }
        // A server may be in several groups.
        return Set(all).sorted()
    }

    /// The living process of a public label.
    func process(_ label: String) -> (group: Group, process: ProcessHandle)? {
        for group in present {
            let processes = group.snapshot(now: .now).processes
            if let process = processes.first(where: { $0.label == label && !label.isEmpty }) {
                return (group, process.handle)
            }
        }
        return nil
    }

    /// Takes over what a reload has made of the groups: as many as there are, or more.
    func replace(with entries: [Entry]) { self.entries.withLock { $0 = entries } }
}
