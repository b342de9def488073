internal import Backends

/// Something that will happen to a process, whatever the registry thinks of it.
enum Event: Equatable {
    case spawns
    case getsReady
    /// A start uses no CPU time from now on, or does again.
    case sleeps
    case wakes
    case ends
    /// Supervision tells of an end that has happened.
    case exitIsReported
}

/// What is going to happen to processes, by time; of one time in the order of entry.
struct Agenda {
    private struct Entry {
        var at: MonotonicInstant
        var process: ProcessHandle
        var event: Event
    }

    private var entries: [Entry] = []

    var next: MonotonicInstant? { entries.first?.at }

    mutating func add(_ event: Event, _ process: ProcessHandle, at: MonotonicInstant) {
        let index = entries.firstIndex { $0.at > at } ?? entries.endIndex
        entries.insert(Entry(at: at, process: process, event: event), at: index)
    }

    mutating func takeFirst() -> (ProcessHandle, Event)? {
        guard let first = entries.first else { return nil }
        entries.removeFirst()
        return (first.process, first.event)
    }

    /// Whoever lives on does so under another name; of the others nobody hears any more.
    mutating func rename(_ names: [ProcessHandle: ProcessHandle]) {
        entries = entries.compactMap { entry in
            guard let name = names[entry.process] else { return nil }
            var renamed = entry
            renamed.process = name
            return renamed
        }
    }

    /// Nothing more happens to a process that has ended.
    mutating func forget(_ process: ProcessHandle) { entries.removeAll { $0.process == process } }
}
