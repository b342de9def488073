internal import Backends
internal import ConfigFile
internal import Synchronization

/// The groups of the running program, by index.
///
/// A reload appends and retires groups; none ever moves, since its index identifies it in every
/// order, grant and event.
final class ServingGroups: Sendable {
    /// A group with its configuration.
    struct Entry: Sendable {
        let group: Group
        /// The current configuration.
        var configuration: Configuration.Group
        /// The fingerprint of its launch; nil: external.
        var launchFingerprint: String?
        /// The generation that served when this fingerprint replaced another, and that other one.
        private var former: (generation: Int, fingerprint: String?)?
        /// The configuration no longer has it.
        var isRetired = false

        init(group: Group, configuration: Configuration.Group, launchFingerprint: String?) {
            self.group = group
            self.configuration = configuration
            self.launchFingerprint = launchFingerprint
        }

        /// The launch fingerprint of the serving processes, if a newer generation is starting or
        /// has failed to start; nil: they belong to the newest.
        func servingFingerprint(_ now: GroupSnapshot) -> String? {
            guard now.rollout != nil, let former, former.generation == now.generation else {
                return nil
            }
            return former.fingerprint
        }

        /// Records what serves, before a generation with another fingerprint begins.
        mutating func noteServing() {
            let now = group.snapshot(now: .now)
            former = (now.generation, servingFingerprint(now) ?? launchFingerprint)
        }
    }

    private let entries: Mutex<[Entry]>

    init(_ entries: [Entry]) { self.entries = Mutex(entries) }

    /// All groups that ever existed, by index.
    var all: [Group] { entries.withLock { $0.map(\.group) } }

    /// Groups that are configured, or have not ended yet.
    private var present: [Group] {
        entries.withLock { entries in
            entries.filter { !$0.isRetired || !$0.group.isStopped }.map(\.group)
        }
    }

    /// The visible groups: those present, each name once.
    func snapshots(now: MonotonicInstant) -> [GroupSnapshot] {
        let entries = snapshot
        var shown: [GroupSnapshot] = []
        // The configured ones first, since they determine the state of a name.
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

    /// The configured group with a name, and its index.
    func find(_ name: String) -> (index: Int, group: Group)? {
        entries.withLock { entries in
            entries.firstIndex { !$0.isRetired && $0.group.name == name }
                .map { ($0, entries[$0].group) }
        }
    }

    /// The public labels of all living processes.
    var labels: [String] {
        let all = present.flatMap { $0.snapshot(now: .now).processes.map(\.label) }
        // Several groups may contain the same server.
        return Set(all).sorted()
    }

    /// The living process with a public label.
    func process(_ label: String) -> (group: Group, process: ProcessHandle)? {
        for group in present {
            let processes = group.snapshot(now: .now).processes
            if let process = processes.first(where: { $0.label == label && !label.isEmpty }) {
                return (group, process.handle)
            }
        }
        return nil
    }

    /// Replaces the entries after a reload: as many as before, or more.
    func replace(with entries: [Entry]) { self.entries.withLock { $0 = entries } }
}
