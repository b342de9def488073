internal import Backends
internal import FoundationEssentials

// Converts snapshots to documents: only monotonic times change, into dates and ages.

extension StatsDocument {
    package init(_ snapshot: AdminSnapshot) {
        let tables = Self.tables(of: snapshot.traffic)
        func table(_ name: String) -> [String: StatsValue] {
            if case .table(let table) = tables[name] { table } else { [:] }
        }
        self.init(
            version: snapshot.version,
            node: snapshot.node,
            startedAt: Date(timeIntervalSince1970: Double(snapshot.startedAt)),
            uptimeSeconds: rounded(snapshot.uptime.seconds),
            connections: table("connections"),
            requests: table("requests"),
            verdicts: table("verdicts"),
            groups: snapshot.groups.map { GroupDocument($0, in: snapshot) })
    }
}

extension GroupDocument {
    init(_ group: GroupSnapshot, in snapshot: AdminSnapshot) {
        self.init(
            name: group.name,
            kind: group.isSpawned ? .spawned : .external,
            state: group.state.rawValue,
            generation: group.generation,
            min: group.minimum,
            max: group.maximum,
            threads: group.threads,
            queue: Queue(
                length: group.queueLength,
                limit: group.queueLimit,
                oldestSeconds: rounded(group.queueOldest.seconds),
                rejectedTotal: group.queueRejectedTotal,
                timedOutTotal: group.queueTimedOutTotal),
            sessions: Sessions(
                live: group.sessionsLive,
                createdTotal: group.sessionsCreatedTotal,
                movedTotal: group.sessionsMovedTotal,
                lostTotal: group.sessionsLostTotal,
                draining: group.drainingSessions,
                unconfirmed: group.sessionsUnconfirmed,
                givenWayTotal: group.sessionsGivenWayTotal,
                withoutLeaseTotal: group.sessionsWithoutLeaseTotal,
                tableFull: group.isLeaseTableFull),
            spawn: Spawn(
                starting: group.starting,
                spawnedTotal: group.spawnedTotal,
                failuresInARow: group.failuresInARow,
                backoffSeconds: rounded(group.backoff.seconds),
                waitingForRoomSeconds: group.roomless.map { rounded($0.seconds) },
                lastFailure: group.lastFailure.map { failure in
                    Failure(
                        at: snapshot.date(of: failure.at),
                        reason: failure.report.reason,
                        exitStatus: failure.report.status,
                        signal: failure.report.signal,
                        output: failure.report.output)
                }),
            limitReachedTotal: group.limitReachedTotal,
            unresolved: group.unresolved,
            rollout: group.rollout.map { rollout in
                RolloutDocument(
                    generation: rollout.generation, state: rollout.state.rawValue,
                    reason: rollout.report?.reason)
            },
            decisions: snapshot.decisions.filter { $0.group == group.name }
                .suffix(GroupDocument.decisionsShown).map { DecisionDocument($0, in: snapshot) },
            processes: group.processes.map { ProcessDocument($0, in: snapshot) })
    }
}

extension GroupDocument {
    /// The event stream has more; these show what has just happened.
    fileprivate static let decisionsShown = 20
}

extension DecisionDocument {
    fileprivate init(_ decision: Decision, in snapshot: AdminSnapshot) {
        self.init(
            sequence: decision.sequence, at: snapshot.date(of: decision.at), kind: decision.kind,
            reason: decision.reason, process: decision.process, detail: decision.detail)
    }
}

extension ProcessDocument {
    init(_ process: ProcessSnapshot, in snapshot: AdminSnapshot) {
        let usage = process.pid.flatMap { snapshot.usage[$0] }
        self.init(
            id: process.label,
            pid: process.pid,
            state: process.state.rawValue,
            reason: process.reason?.rawValue,
            generation: process.generation,
            transient: process.transient,
            address: process.address.map(text(of:)),
            inFlight: process.inFlight,
            queued: process.queued,
            sessions: process.sessions,
            requestsTotal: process.requestsTotal,
            errorsTotal: process.errorsTotal,
            startedAt: snapshot.date(of: process.startedAt),
            readyAfterSeconds: process.readyAfter.map { rounded($0.seconds) },
            idleSeconds: rounded(process.idle.seconds),
            cpuSeconds: usage.map { rounded($0.cpuSeconds) },
            rssBytes: usage?.residentBytes,
            tunnels: process.tunnels,
            slots: process.slots,
            server: process.server.map { server in
                ServerDocument(
                    weight: server.weight, share: rounded(server.share),
                    slowStartSecondsLeft: server.slowStartLeft.map { rounded($0.seconds) },
                    outagesTotal: server.outagesTotal,
                    failedChecksTotal: server.failedChecksTotal)
            },
            statusText: process.statusText,
            busy: process.isBusy,
            stopReason: process.stopReason?.rawValue,
            keptSecondsLeft: process.keptFor.map { rounded($0.seconds) },
            drainSecondsLeft: process.drainLeft.map { rounded($0.seconds) })
    }
}

extension AdminSnapshot {
    /// The date of a monotonic instant, by the two clocks of the snapshot.
    func date(of instant: MonotonicInstant) -> Date {
        let age = now - instant
        return Date(timeIntervalSince1970: Double(wallNow &- age.nanoseconds) / 1e9)
    }
}

/// Seconds to the microsecond; NaN and infinity, which JSON lacks, become 0.
func rounded(_ seconds: Double) -> Double {
    guard seconds.isFinite else { return 0 }
    return (seconds * 1e6).rounded() / 1e6
}
