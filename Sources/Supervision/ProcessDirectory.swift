internal import Synchronization

/// A thread-safe view of the living processes.
final class ProcessDirectory: Sendable {
    struct Entry: Sendable {
        var pid: Int32
        var lines: OutputRing
    }

    private let entries = Mutex<[ProcessKey: Entry]>([:])

    subscript(key: ProcessKey) -> Entry? {
        get { entries.withLock { $0[key] } }
        set { entries.withLock { $0[key] = newValue } }
    }

    var pids: Set<Int32> { entries.withLock { Set($0.values.map(\.pid)) } }
}
