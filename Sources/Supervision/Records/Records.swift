internal import Logging

/// The records of the processes, and which of them are not on the disk yet.
struct Records {
    private static let retryDelay: Int64 = 1_000_000_000
    /// The pause between two writes of one process's sessions.
    static let pause: Int64 = 50_000_000
    /// How long it may take until it is written that a process has no sessions any more.
    static let pauseOfUse: Int64 = 1_000_000_000

    /// Nil: no process can be adopted later.
    let directory: StateDirectory?
    let boot: BootIdentity?
    let balancer = ProcessIdentity.ofThisProgram()
    /// Ids of processes whose record must be written.
    private var waiting: Set<UInt64> = []
    /// When they are written.
    private(set) var writeAt: Int64?
    private var isFailing = false
    /// The errno of the failure that was logged last.
    private var loggedCause: Int32?

    init(_ directory: StateDirectory?) {
        boot = ProcessIdentity.currentBoot()
        // Without /proc processes could not be identified.
        self.directory = boot == nil ? nil : directory
    }

    /// Defers writing a process's record.
    mutating func wait(_ id: UInt64, until time: Int64) {
        waiting.insert(id)
        writeAt = min(writeAt ?? time, time)
    }

    /// Whether the record of a process is to be written anyway.
    func isWaiting(_ id: UInt64) -> Bool { waiting.contains(id) }

    /// The due ones; they stay due until they were written.
    mutating func takeDue(now: Int64) -> Set<UInt64> {
        guard let time = writeAt, time <= now else { return [] }
        writeAt = nil
        return waiting
    }

    /// A process is gone, and its record with it.
    mutating func forget(_ id: UInt64) { waiting.remove(id) }

    /// Writes a record; logs a failure once, and its end.
    ///
    /// - Parameter id: the process's; nil: it does not exist yet, and a failed write is not
    ///   retried.
    mutating func write(_ record: ProcessRecord, of id: UInt64?, now: Int64, log: Logger) {
        guard let directory else { return }
        do {
            try directory.write(record)
            if let id { waiting.remove(id) }
            if isFailing && waiting.isEmpty {
                isFailing = false
                loggedCause = nil
                log.notice("the state directory can be written again: all processes are recorded")
            }
        } catch {
            // Another cause needs another remedy.
            if !isFailing || loggedCause != error.errno {
                loggedCause = error.errno
                log.error(
                    """
                    the state directory cannot be written: \(error.sentence); processes are served, \
                    but those that are not recorded will not be adopted by a later balancer; free \
                    space in \(directory.path), or make it writable
                    """)
            }
            isFailing = true
            if let id { wait(id, until: now + Self.retryDelay) }
        }
    }
}
