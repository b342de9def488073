internal import Synchronization

/// One decision of the registry, as text.
package struct Decision: Equatable, Sendable {
    /// Numbered from 1 over all groups.
    package var sequence: UInt64
    package var at: MonotonicInstant
    package var group: String
    /// The process's public label; empty for a decision about the group.
    package var process: String
    /// One of a fixed list, such as `spawning` and `draining`.
    package var kind: String
    /// From a fixed list, see `SpawnReason` and `StopReason`; empty: none.
    package var reason: String
    /// Further details, for people.
    package var detail: String
}

/// The ordered stream of decisions over all groups; keeps the latest.
package final class DecisionLog: Sendable {
    private static let capacity = 4096

    private struct State {
        var ring: [Decision] = []
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Appends events in their order.
    ///
    /// - Parameter label: returns a process's public name; nil: no longer known.
    package func append(
        _ events: [RegistryEvent], name: String, at now: MonotonicInstant,
        label: (ProcessHandle) -> String?
    ) {
        let words = events.compactMap { event -> EventWords? in
            // Refused requests are counted; one record each would flush everything else out.
            if case .shed = event { nil } else { event.words }
        }
        if words.isEmpty { return }
        let labels = words.map { $0.process.flatMap(label) ?? "" }
        state.withLock { state in
            for (word, label) in zip(words, labels) {
                state.last += 1
                let decision = Decision(
                    sequence: state.last, at: now, group: name, process: label, kind: word.kind,
                    reason: word.reason, detail: word.detail)
                if state.ring.count < Self.capacity {
                    state.ring.append(decision)
                } else {
                    state.ring[Int((state.last - 1) % UInt64(Self.capacity))] = decision
                }
            }
        }
    }

    /// The decisions after a sequence number, oldest first, without those already dropped.
    package func since(_ sequence: UInt64, limit: Int) -> [Decision] {
        state.withLock { state in
            let known = state.ring.filter { $0.sequence > sequence }
            return Array(known.sorted { $0.sequence < $1.sequence }.prefix(max(0, limit)))
        }
    }
}
