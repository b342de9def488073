internal import Backends
internal import Logging
internal import Synchronization

/// Logs the registry's decisions, in plain sentences.
///
/// Events identify a process by its handle; people know its label and pid. These come from the
/// group's snapshots and are kept until the process is gone.
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

    /// - Parameter observer: called for each event after it was logged, on the thread that caused
    ///   it.
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
            write(event, group: group.name, index: index)
            observer(event)
        }
        // Forget names only afterwards: events after a process's exit concern it too.
        for event in events {
            switch event {
            case .gone(let process, _, _), .startFailed(let process, _, _, _):
                forget(process, index)
            default: break
            }
        }
    }

    private func write(_ event: RegistryEvent, group: String, index: Int) {
        let words = event.words
        var metadata = words.process.map { facts(of: $0, index) } ?? [:]
        metadata["group"] = "\(group)"
        for fact in words.facts { metadata[fact.name] = Logger.MetadataValue(fact.value) }
        log.log(level: Logger.Level(words.level), "\(words.sentence)", metadata: metadata)
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

    /// Refused requests are frequent but name no process; everything else is rare.
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

extension Logger.MetadataValue {
    fileprivate init(_ value: EventWords.Fact.Value) {
        switch value {
        case .text(let text): self = .string(text)
        case .number(let number): self = .number(number)
        case .span(let span): self = .span(span)
        }
    }
}

extension Logger.Level {
    fileprivate init(_ level: EventWords.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}

/// `0.21s` or `12s`, for text.
func text(_ span: Interval) -> String {
    let seconds = span.seconds
    guard seconds < 10 else { return "\(Int64(seconds.rounded()))s" }
    return "\((seconds * 100).rounded() / 100)s"
}
