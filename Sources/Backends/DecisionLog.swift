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
        let words = events.compactMap(DecisionWords.init)
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

/// An event in words.
private struct DecisionWords {
    var process: ProcessHandle?
    var kind: String
    var reason = ""
    var detail = ""

    /// Nil for what happens with every refused request: it is counted, and no decision of its own.
    init?(_ event: RegistryEvent) {
        switch event {
        case .spawning(let process, let reason):
            (self.process, kind, self.reason) = (process, "spawning", reason.rawValue)
        case .ready(let process, let after):
            (self.process, kind) = (process, "ready")
            detail = "after \(after.seconds) s"
        case .startFailed(let process, let report, _, _):
            (self.process, kind, detail) = (process, "start_failed", report.reason)
        case .draining(let process, let reason):
            (self.process, kind, self.reason) = (process, "draining", reason.rawValue)
        case .reinstated(let process): (self.process, kind) = (process, "reinstated")
        case .stopping(let process, let reason):
            (self.process, kind, self.reason) = (process, "stopping", reason.rawValue)
        case .killing(let process, let reason):
            (self.process, kind, self.reason) = (process, "killing", reason.rawValue)
        case .gone(let process, let reason, let report):
            (self.process, kind, self.reason) = (process, "gone", reason.rawValue)
            detail = report?.reason ?? ""
        case .recycling(let process, let reason):
            (self.process, kind, self.reason) = (process, "recycling", reason.rawValue)
        case .adopted(let process): (self.process, kind) = (process, "adopted")
        case .sessionsLost(let process, let count):
            (self.process, kind, detail) = (process, "sessions_lost", "\(count)")
        case .down(let process, let span):
            (self.process, kind, detail) = (process, "down", "for \(span.seconds) s")
        case .answering(let process): (self.process, kind) = (process, "answering")
        case .up(let process): (self.process, kind) = (process, "up")
        case .rolloutStarted(let generation):
            (kind, detail) = ("rollout_started", "generation \(generation)")
        case .rolloutDone(let generation):
            (kind, detail) = ("rollout_done", "generation \(generation)")
        case .rolloutFailed(let generation, let report):
            kind = "rollout_failed"
            detail = "generation \(generation): \(report?.reason ?? "not ready")"
        case .scaled(let minimum, let maximum):
            (kind, detail) = ("scaled", "\(minimum)..\(maximum)")
        case .failing(let span): (kind, detail) = ("failing", "next try in \(span.seconds) s")
        case .recovered: kind = "recovered"
        case .waitingForRoom(let reason):
            (kind, self.reason, detail) = (
                "waiting_for_room", reason.rawValue, "max_processes are running"
            )
        case .recyclingWaits(let leaving):
            (kind, detail) = ("recycling_waits", "\(leaving) are draining")
        case .leasesFull(let count): (kind, detail) = ("leases_full", "\(count) sessions")
        case .shed: return nil
        }
    }
}
