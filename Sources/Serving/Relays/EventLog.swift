internal import Backends
internal import Logging
internal import Synchronization

/// Tells the registry's decisions in the log, in plain sentences.
///
/// Events name a process by its handle; people know its label and pid. These are learnt from the
/// group's snapshots and kept until the process has gone.
final class EventLog: Sendable {
    private struct Key: Hashable {
        var group: Int
        var process: ProcessHandle
    }

    private struct Name {
        var label: String
        var pid: Int32?
    }

    private let log: Logger
    private let decisions: DecisionLog
    private let observer: @Sendable (RegistryEvent) -> Void
    private let names = Mutex<[Key: Name]>([:])

    /// - Parameter observer: told of each event behind the log, on whichever thread it came about.
    init(
        log: Logger, decisions: DecisionLog,
        observer: @escaping @Sendable (RegistryEvent) -> Void = { _ in }
    ) {
        self.log = log
        self.decisions = decisions
        self.observer = observer
    }

    func record(_ events: [RegistryEvent], group: Group, index: Int) {
        learnNames(of: events, group: group, index: index)
        decisions.append(events, name: group.name, at: .now) { process in
            names.withLock { $0[Key(group: index, process: process)]?.label }
        }
        for event in events {
            tell(event, group: group.name, index: index)
            observer(event)
        }
        // Not before: what follows the end of a process is about it too.
        for event in events {
            switch event {
            case .gone(let process, _, _), .startFailed(let process, _, _, _):
                forget(process, index)
            default: break
            }
        }
    }

    private func tell(_ event: RegistryEvent, group: String, index: Int) {
        switch event {
        case .spawning(_, let reason):
            say(.info, "starting a process", group, ["reason": "\(reason.rawValue)"])
        case .ready(let process, let after):
            let facts = facts(of: process, index)
            say(.info, "process is ready", group, facts, ["after": .span(after)])
        case .startFailed(let process, let report, let failures, let backoff):
            say(
                .error, "process did not start: \(report.reason)", group,
                facts(of: process, index),
                ["failures_in_a_row": .number(failures), "next_try_in": .span(backoff)])
        case .draining(let process, let reason):
            say(
                .info, "process takes no new sessions", group, facts(of: process, index),
                ["reason": "\(reason.rawValue)"])
        case .reinstated(let process):
            say(.info, "process takes new sessions again", group, facts(of: process, index))
        case .stopping(let process, .unreachable):
            say(
                .warning, "process takes no connections: it has ended, or is stopped now", group,
                facts(of: process, index))
        case .stopping(let process, let reason):
            say(
                .info, "stopping process", group, facts(of: process, index),
                ["reason": "\(reason.rawValue)"])
        case .killing(let process, .startTimeout):
            say(
                .warning, "process is not ready in time and is killed", group,
                facts(of: process, index))
        case .killing(let process, let reason):
            say(
                .warning, "process does not stop and is killed", group, facts(of: process, index),
                ["reason": "\(reason.rawValue)"])
        case .gone(let process, let reason, let report):
            tellGone(process, reason, report, group, index)
        case .sessionsLost(let process, let count):
            say(
                .warning, "sessions were lost with their process", group,
                facts(of: process, index), ["sessions": .number(count)])
        case .down(let process, let span):
            say(
                .warning, "server is out: it cannot be reached, or does not answer well", group,
                facts(of: process, index),
                ["next_try_in": .span(span)])
        case .up(let process):
            say(.info, "server gets a request again", group, facts(of: process, index))
        case .answering(let process):
            say(.info, "server answers again", group, facts(of: process, index))
        case .failing(let span):
            say(
                .error, "group is failing: its processes do not start", group,
                ["next_try_in": .span(span)])
        case .adopted(let process):
            say(.info, "process of an earlier run taken over", group, facts(of: process, index))
        case .recycling(let process, let reason):
            say(
                .info, "process is to be replaced", group, facts(of: process, index),
                ["reason": "\(reason.rawValue)"])
        case .recyclingWaits(let leaving):
            say(
                .warning, "recycling waits for processes that drain (draining_max)", group,
                ["draining": .number(leaving)])
        case .rolloutStarted(let generation):
            say(.info, "a new generation is starting", group, ["generation": .number(generation)])
        case .rolloutDone(let generation):
            say(.notice, "a new generation serves", group, ["generation": .number(generation)])
        case .rolloutFailed(let generation, let report):
            let how = report.map { ": \($0.reason)" } ?? ""
            say(
                .error, "a new generation did not start, the one before serves on\(how)", group,
                ["generation": .number(generation)])
        case .scaled(let minimum, let maximum):
            say(.notice, "scaled", group, ["min": .number(minimum), "max": .number(maximum)])
        case .waitingForRoom(let reason):
            say(
                .warning,
                "a start waits: max_processes are running, and no group has an idle one to spare",
                group, ["reason": "\(reason.rawValue)"])
        case .recovered:
            say(.notice, "group has recovered", group)
        case .leasesFull(let count):
            say(
                .warning,
                """
                the table of sessions is full: those whose cookie never came back give way, and where \
                there are none, new ones keep no process alive
                """,
                group, ["sessions": .number(count)])
        case .shed(let reason):
            say(.debug, "request refused", group, ["reason": "\(reason)"])
        }
    }

    private func tellGone(
        _ process: ProcessHandle, _ reason: StopReason, _ report: ExitReport?, _ group: String,
        _ index: Int
    ) {
        let facts = facts(of: process, index)
        let how = report.map { ": \($0.reason)" } ?? ""
        if reason == .exited || reason == .unreachable {
            say(.warning, "process ended by itself\(how)", group, facts)
        } else {
            say(.info, "process has stopped\(how)", group, facts, ["reason": "\(reason.rawValue)"])
        }
    }

    private func say(
        _ level: Logger.Level, _ message: Logger.Message, _ group: String,
        _ facts: Logger.Metadata = [:], _ more: Logger.Metadata = [:]
    ) {
        var all = facts.merging(more) { first, _ in first }
        all["group"] = "\(group)"
        log.log(level: level, message, metadata: all)
    }

    private func facts(of process: ProcessHandle, _ index: Int) -> Logger.Metadata {
        guard let name = names.withLock({ $0[Key(group: index, process: process)] }) else {
            return [:]
        }
        var facts: Logger.Metadata = ["process": "\(name.label)"]
        if let pid = name.pid { facts["pid"] = .number(pid) }
        return facts
    }

    private func forget(_ process: ProcessHandle, _ index: Int) {
        names.withLock { _ = $0.removeValue(forKey: Key(group: index, process: process)) }
    }

    /// Refused requests are many and name no process; everything else is rare.
    private func learnNames(of events: [RegistryEvent], group: Group, index: Int) {
        let namesAny = events.contains { event in
            if case .shed = event { return false }
            return true
        }
        guard namesAny else { return }
        let processes = group.snapshot(now: .now).processes
        names.withLock { names in
            for process in processes where !process.label.isEmpty {
                names[Key(group: index, process: process.handle)] = Name(
                    label: process.label, pid: process.pid)
            }
        }
    }
}

/// `0.21s` or `12s`, for people.
func text(_ span: Interval) -> String {
    let seconds = span.seconds
    guard seconds < 10 else { return "\(Int64(seconds.rounded()))s" }
    return "\((seconds * 100).rounded() / 100)s"
}
