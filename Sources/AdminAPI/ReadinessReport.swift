internal import Backends

/// The answer to `/readyz`: every group that is to have processes has one that is ready.
struct ReadinessReport: Equatable {
    /// Why not; empty: ready.
    var reasons: [String] = []

    init(_ snapshot: AdminSnapshot) {
        if snapshot.draining { reasons.append("Mooring is shutting down") }
        for group in snapshot.groups where group.minimum > 0 || !group.isSpawned {
            if group.processes.contains(where: { $0.state == .ready }) { continue }
            reasons.append(Self.reason(of: group))
        }
    }

    private static func reason(of group: GroupSnapshot) -> String {
        guard group.isSpawned else {
            return "group \(group.name): none of its servers can be reached"
        }
        switch group.state {
        case .failing:
            return "group \(group.name): its processes do not start"
        case .stopped:
            return "group \(group.name): stopped"
        case .full:
            return "group \(group.name): no session place is left"
        case .ok, .starting:
            return "group \(group.name): no process is ready yet"
        }
    }
}
