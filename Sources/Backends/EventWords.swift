/// A decision of the registry as text: the one table for the log, `/stats` and every other reader
/// of events.
package struct EventWords: Equatable, Sendable {
    /// The severity for an operator.
    package enum Level: Equatable, Sendable {
        case debug
        case info
        case notice
        case warning
        case error
    }

    /// A named detail, for people and programs.
    package struct Fact: Equatable, Sendable {
        /// Numbers stay numbers in a JSON log.
        package enum Value: Equatable, Sendable {
            case text(String)
            case number(Int)
            case span(Interval)
        }

        package let name: String
        package let value: Value
    }

    package let level: Level
    /// For programs: one of a fixed list.
    package let kind: String
    /// For people.
    package let sentence: String
    /// The process concerned; nil: the group.
    package var process: ProcessHandle?
    /// From a fixed list, see `SpawnReason` and `StopReason`; empty: none.
    package var reason = ""
    /// Further details in `/stats`, for people.
    package var detail = ""
    /// Further details in the log.
    package var facts: [Fact] = []

    fileprivate init(
        _ level: Level, _ kind: String, _ sentence: String, _ process: ProcessHandle? = nil
    ) {
        self.level = level
        self.kind = kind
        self.sentence = sentence
        self.process = process
    }

    fileprivate func because(_ reason: String) -> EventWords {
        var words = self
        words.reason = reason
        words.facts.append(Fact(name: "reason", value: .text(reason)))
        return words
    }

    /// For sentences that already contain the reason.
    fileprivate func reasoned(_ reason: StopReason) -> EventWords {
        var words = self
        words.reason = reason.rawValue
        return words
    }

    fileprivate func with(_ name: String, _ value: Fact.Value) -> EventWords {
        var words = self
        words.facts.append(Fact(name: name, value: value))
        return words
    }

    fileprivate func detailed(_ detail: String) -> EventWords {
        var words = self
        words.detail = detail
        return words
    }
}

extension RegistryEvent {
    /// The event's row.
    package var words: EventWords {
        switch self {
        case .spawning(let process, let reason):
            EventWords(.info, "spawning", "starting a process", process).because(reason.rawValue)
        case .ready(let process, let after):
            EventWords(.info, "ready", "process is ready", process)
                .with("after", .span(after)).detailed("after \(after.seconds) s")
        case .startFailed(let process, let report, failuresInARow: 0, _):
            EventWords(
                .error, "start_failed",
                "process of a new generation did not start: \(report.reason)", process
            )
            .detailed(report.reason)
        case .startFailed(let process, let report, let failures, let backoff):
            EventWords(
                .error, "start_failed", "process did not start: \(report.reason)", process
            )
            .with("failures_in_a_row", .number(failures)).with("next_try_in", .span(backoff))
            .detailed(report.reason)
        case .draining(let process, let reason):
            EventWords(.info, "draining", "process takes no new sessions", process)
                .because(reason.rawValue)
        case .reinstated(let process):
            EventWords(.info, "reinstated", "process takes new sessions again", process)
        case .stopping(let process, let reason):
            Self.stopping(process, reason)
        case .killing(let process, let reason):
            Self.killing(process, reason)
        case .gone(let process, let reason, let report):
            Self.gone(process, reason, report)
        case .recycling(let process, let reason):
            EventWords(.info, "recycling", "process is due for replacement", process)
                .because(reason.rawValue)
        case .adopted(let process):
            EventWords(.info, "adopted", "process of an earlier run taken over", process)
        case .sessionsLost(let process, let count):
            EventWords(.warning, "sessions_lost", "sessions were lost with their process", process)
                .with("sessions", .number(count)).detailed("\(count)")
        case .down(let process, let span):
            EventWords(
                .warning, "down", "server is out: it cannot be reached, or does not answer well",
                process
            )
            .with("next_try_in", .span(span)).detailed("for \(span.seconds) s")
        case .answering(let process):
            EventWords(.info, "answering", "server answers again", process)
        case .up(let process):
            EventWords(.info, "up", "server gets a request again", process)
        case .joined(let process):
            EventWords(.info, "joined", "server is new and gets sessions", process)
        case .out(let process):
            EventWords(
                .notice, "out", "server is out of service until mooring up has it back", process)
        case .rolloutStarted(let generation):
            EventWords(.info, "rollout_started", "a new generation is starting")
                .with("generation", .number(generation)).detailed("generation \(generation)")
        case .rolloutDone(let generation):
            EventWords(.notice, "rollout_done", "a new generation serves")
                .with("generation", .number(generation)).detailed("generation \(generation)")
        case .rolloutFailed(let generation, let report):
            EventWords(
                .error, "rollout_failed",
                "a new generation did not start and is given up, the old one serves on"
                    + (report.map { ": \($0.reason)" } ?? "")
            )
            .with("generation", .number(generation))
            .detailed("generation \(generation): \(report?.reason ?? "not ready")")
        case .scaled(let minimum, let maximum):
            EventWords(.notice, "scaled", "scaled")
                .with("min", .number(minimum)).with("max", .number(maximum))
                .detailed("\(minimum)..\(maximum)")
        case .failing(let span):
            EventWords(.error, "failing", "group is failing: its processes do not start")
                .with("next_try_in", .span(span)).detailed("next try in \(span.seconds) s")
        case .recovered:
            EventWords(.notice, "recovered", "group has recovered")
        case .waitingForRoom(let reason):
            EventWords(
                .warning, "waiting_for_room",
                "a start waits: max_processes are running, and no group has an idle one to spare"
            )
            .because(reason.rawValue).detailed("max_processes are running")
        case .recyclingWaits(let leaving):
            EventWords(
                .warning, "recycling_waits",
                "recycling waits for processes that drain (draining_max)"
            )
            .with("draining", .number(leaving)).detailed("\(leaving) are draining")
        case .leasesFull(let count):
            EventWords(
                .warning, "leases_full",
                """
                the table of sessions is full: those whose cookie never came back give way, and \
                where there are none, new ones keep no process alive
                """
            )
            .with("sessions", .number(count)).detailed("\(count) sessions")
        case .shed(let reason):
            EventWords(.debug, "shed", "request refused").because("\(reason)")
        }
    }

    private static func stopping(_ process: ProcessHandle, _ reason: StopReason) -> EventWords {
        if reason == .unreachable {
            return EventWords(
                .warning, "stopping",
                "process takes no connections: it has ended, or is stopped now", process
            ).reasoned(reason)
        }
        return EventWords(.info, "stopping", "stopping process", process).because(reason.rawValue)
    }

    private static func killing(_ process: ProcessHandle, _ reason: StopReason) -> EventWords {
        if reason == .startTimeout {
            return EventWords(
                .warning, "killing", "process is not ready in time and is killed", process
            ).reasoned(reason)
        }
        return EventWords(.warning, "killing", "process does not stop and is killed", process)
            .because(reason.rawValue)
    }

    private static func gone(
        _ process: ProcessHandle, _ reason: StopReason, _ report: ExitReport?
    ) -> EventWords {
        let how = report.map { ": \($0.reason)" } ?? ""
        let detail = report?.reason ?? ""
        if reason == .exited || reason == .unreachable {
            return EventWords(.warning, "gone", "process ended by itself\(how)", process)
                .reasoned(reason).detailed(detail)
        }
        return EventWords(.info, "gone", "process has stopped\(how)", process)
            .because(reason.rawValue).detailed(detail)
    }
}
