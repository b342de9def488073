internal import Backends

/// A future event of a process, independent of the registry's view.
enum Event: Equatable {
    case spawns
    case getsReady
    /// A start stops using CPU time, or uses it again.
    case sleeps
    case wakes
    case ends
    /// Supervision reports an exit.
    case exitIsReported
}

/// Future events of processes, ordered by time, then by insertion.
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

    /// After an adoption, events follow the adopted processes under their new handles; those of
    /// processes that were not adopted are dropped.
    mutating func rename(_ names: [ProcessHandle: ProcessHandle]) {
        entries = entries.compactMap { entry in
            guard let name = names[entry.process] else { return nil }
            var renamed = entry
            renamed.process = name
            return renamed
        }
    }

    /// Drops the events of a process that has exited.
    mutating func forget(_ process: ProcessHandle) { entries.removeAll { $0.process == process } }
}
