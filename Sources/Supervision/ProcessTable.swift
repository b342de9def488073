/// The processes that are managed, by id and by what the registry calls them.
///
/// Belongs to the loop's thread. An id is never used twice, for it is part of the tokens under which
/// descriptors are registered. What other threads see of a process follows it.
struct ProcessTable {
    private var byID: [UInt64: ManagedProcess] = [:]
    private var idsByKey: [ProcessKey: UInt64] = [:]
    private var lastID: UInt64 = 0
    private let directory: ProcessDirectory

    /// - Parameter directory: the same processes for other threads.
    init(publishedIn directory: ProcessDirectory) { self.directory = directory }

    var isEmpty: Bool { byID.isEmpty }
    /// In no order; those of the moment, whatever happens to the table meanwhile.
    var values: [ManagedProcess] { Array(byID.values) }

    subscript(id: UInt64) -> ManagedProcess? { byID[id] }

    /// Nil when it is gone already.
    subscript(key: ProcessKey) -> ManagedProcess? { idsByKey[key].flatMap { byID[$0] } }

    func contains(_ process: ManagedProcess) -> Bool { byID[process.id] != nil }

    /// For a process that is about to be made.
    mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// - Precondition: its key names no other process.
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
