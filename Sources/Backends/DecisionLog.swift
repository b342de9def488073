internal import Synchronization

/// One decision of the registry, in words.
package struct Decision: Equatable, Sendable {
    /// Counts from 1 over all groups.
    package var sequence: UInt64
    package var at: MonotonicInstant
    package var group: String
    /// The process's public label; empty: it is about the group.
    package var process: String
    /// One of a fixed list, such as `spawning` and `draining`.
    package var kind: String
    /// From a fixed list, as `SpawnReason` and `StopReason`; empty: none.
    package var reason: String
    /// What else is to be said, for people.
    package var detail: String
}

/// The one ordered stream of decisions over all groups, of which the last are kept.
package final class DecisionLog: Sendable {
    private static let capacity = 4096

    private struct State {
        var ring: [Decision] = []
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Takes down events in their order.
    ///
    /// - Parameter label: a process's public name; nil: not known any more.
    package func append(
        _ events: [RegistryEvent], name: String, at now: MonotonicInstant,
        label: (ProcessHandle) -> String?
    ) {
        let words = events.compactMap { event -> EventWords? in
            // What happens with every refused request is counted, and no decision of its own.
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

    /// The decisions behind a sequence number, oldest first; those that are forgotten are left out.
    package func since(_ sequence: UInt64, limit: Int) -> [Decision] {
        state.withLock { state in
            let known = state.ring.filter { $0.sequence > sequence }
            return Array(known.sorted { $0.sequence < $1.sequence }.prefix(max(0, limit)))
        }
    }
}
