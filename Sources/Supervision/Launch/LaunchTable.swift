/// The launch settings of each group: one entry for each generation that changed them.
struct LaunchTable {
    private struct Entry {
        var generation: Int
        var launch: LaunchSpec
    }

    /// By group, in the order of generations; nil for external groups.
    private var entries: [[Entry]?]

    var count: Int { entries.count }

    /// - Parameter retired: groups behind those, of which nothing is started until they come back.
    init(_ launches: [LaunchSpec?], retired: Int = 0) {
        entries = launches.map { launch in launch.map { [Entry(generation: 0, launch: $0)] } }
        entries += Array(repeating: [], count: retired)
    }

    /// The launch recorded for a generation, else the newest of an older one.
    func launch(group: Int, generation: Int) -> LaunchSpec? {
        guard let entries = entries[group] else { return nil }
        return (entries.last { $0.generation <= generation } ?? entries.first)?.launch
    }

    /// The one that the configuration says now; nil for external groups, and for retired ones of an
    /// earlier balancer.
    func newest(group: Int) -> LaunchSpec? { entries[group]?.last?.launch }

    /// Records the launch of a generation, replacing an earlier one of the same generation.
    mutating func set(_ launch: LaunchSpec, group: Int, generation: Int) {
        guard var own = entries[group] else { return }
        own.removeAll { $0.generation == generation }
        let index = own.firstIndex { $0.generation > generation } ?? own.count
        own.insert(Entry(generation: generation, launch: launch), at: index)
        entries[group] = own
    }

    /// Adds groups at the end; existing ones keep theirs.
    mutating func grow(to launches: [LaunchSpec?]) {
        guard launches.count > count else { return }
        entries += LaunchTable(Array(launches[count...])).entries
    }
}
