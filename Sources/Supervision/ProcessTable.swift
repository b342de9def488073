/// The managed processes, by id and by the registry's key.
///
/// Belongs to the loop's thread. An id is never reused, because it is part of the tokens of
/// registered descriptors. `directory` is the view for other threads.
struct ProcessTable {
    private var byID: [UInt64: ManagedProcess] = [:]
    private var idsByKey: [ProcessKey: UInt64] = [:]
    private var lastID: UInt64 = 0
    private let directory: ProcessDirectory

    /// - Parameter directory: receives the same processes for other threads.
    init(publishedIn directory: ProcessDirectory) { self.directory = directory }

    var isEmpty: Bool { byID.isEmpty }
    /// In no order; a copy, so the table may change meanwhile.
    var values: [ManagedProcess] { Array(byID.values) }

    subscript(id: UInt64) -> ManagedProcess? { byID[id] }

    /// Nil when it is gone already.
    subscript(key: ProcessKey) -> ManagedProcess? { idsByKey[key].flatMap { byID[$0] } }

    func contains(_ process: ManagedProcess) -> Bool { byID[process.id] != nil }

    /// An id for a process that is about to be created.
    mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// - Precondition: its key is unused.
    mutating func enter(_ process: ManagedProcess) {
        precondition(idsByKey[process.key] == nil, "a handle names one process only")
        byID[process.id] = process
        idsByKey[process.key] = process.id
        directory[process.key] = ProcessDirectory.Entry(
            pid: process.child.pid, lines: process.lines)
    }

    /// Harmless when it is gone.
    mutating func remove(_ process: ManagedProcess) {
        byID[process.id] = nil
        idsByKey[process.key] = nil
        directory[process.key] = nil
    }
}
