internal import Backends

/// The response to `/readyz`: every group with processes would place a new session at once.
struct ReadinessReport: Equatable {
    /// Why it is not ready; empty: ready.
    var reasons: [String] = []

    init(_ snapshot: AdminSnapshot) {
        if snapshot.draining { reasons.append("Mooring is shutting down") }
        // A group that was removed from the configuration accepts no new sessions.
        for group in snapshot.groups
        where group.state != .stopped && (group.minimum > 0 || !group.isSpawned) {
            if let reason = Self.reason(of: group) { reasons.append(reason) }
        }
    }

    /// Why a new session would not be placed at once; nil: it would be.
    private static func reason(of group: GroupSnapshot) -> String? {
        guard group.processes.contains(where: { $0.state == .ready }) else {
            return reasonWithoutProcess(of: group)
        }
        return switch group.obstacle {
        case nil: nil
        case .noneReady: reasonWithoutProcess(of: group)
        case .coldStart: "group \(group.name): not all of its first processes are ready yet"
        case .queue: "group \(group.name): \(group.queueLength) requests wait for a process"
        case .slots: "group \(group.name): its processes have no free slot"
        case .sessionPlaces: "group \(group.name): its processes have no free session place"
        case .stopped: "group \(group.name): stopped"
        }
    }

    private static func reasonWithoutProcess(of group: GroupSnapshot) -> String {
        guard group.isSpawned else {
            if group.processes.isEmpty, !group.unresolved.isEmpty {
                let names = group.unresolved.joined(separator: ", ")
                return "group \(group.name): no address is known of \(names)"
            }
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
