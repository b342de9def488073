internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// The records of the processes, and which of them the disk does not have yet.
    struct Records {
        private static let retryDelay: Int64 = 1_000_000_000
        /// Between two writes of one process's sessions.
        fileprivate static let pause: Int64 = 50_000_000

        /// In place of the id of a process that is not there yet: what it could not write is not
        /// tried again.
        fileprivate static let nobody: UInt64 = 0

        /// Nil: no process can be adopted later.
        let directory: StateDirectory?
        let place: MachinePlace?
        let balancer = ProcessIdentity.ofThisProgram()
        /// Ids of processes whose record is to be written.
        fileprivate var waiting: Set<UInt64> = []
        /// When those are written.
        private(set) var writeAt: Int64?
        fileprivate var isFailing = false
        /// The errno of the failure that was told last.
        fileprivate var toldCause: Int32?

        init(_ directory: StateDirectory?) {
            place = ProcessIdentity.currentPlace()
            // Without /proc no process could be told from another.
            self.directory = place == nil ? nil : directory
        }

        fileprivate mutating func wait(_ id: UInt64, until time: Int64) {
            waiting.insert(id)
            writeAt = min(writeAt ?? time, time)
        }

        /// They wait until they have been written.
        fileprivate mutating func takeDue(now: Int64) -> Set<UInt64> {
            guard let time = writeAt, time <= now else { return [] }
            writeAt = nil
            return waiting
        }

        fileprivate mutating func failed(_ id: UInt64, now: Int64) {
            isFailing = true
            if id != Self.nobody { wait(id, until: now + Self.retryDelay) }
        }
    }

    /// The record of a process that is about to be spawned, which is written already; nil when none
    /// is kept.
    func intend(
        _ launch: LaunchSpec, _ key: ProcessKey, generation: Int, label: String,
        incarnation: Incarnation, place told: ListeningPlace
    ) -> ProcessRecord? {
        guard records.directory != nil, let place = records.place else { return nil }
        let record = ProcessRecord(
            place: place, balancer: records.balancer, runtimeDirectory: directory.path,
            process: .none, label: label, incarnation: incarnation, group: launch.groupName,
            generation: generation, fingerprint: launch.fingerprint,
            address: told.first, port: told.isChoice ? told.port : nil,
            user: launch.isolation.account?.user ?? geteuid(), onExit: launch.onExit,
            stage: .intended)
        write(record, of: Records.nobody)
        return record
    }

    /// Changes the record of a process and writes it.
    func updateRecord(of process: ManagedProcess, _ change: (inout ProcessRecord) -> Void) {
        guard var record = process.record else { return }
        change(&record)
        guard record != process.record else { return }
        process.record = record
        write(record, of: process.id)
    }

    /// Notes the live sessions of a process; written at once unless that was done a moment ago.
    func remember(_ sessions: RememberedSessions, of process: ManagedProcess) {
        guard process.record != nil else { return }
        process.record?.sessions = sessions.prefix(ProcessRecord.mostSessions)
        let now = Clock.monotonic()
        if now - process.sessionsWrittenAt >= Records.pause {
            process.sessionsWrittenAt = now
            if let record = process.record { write(record, of: process.id) }
        } else {
            records.wait(process.id, until: process.sessionsWrittenAt + Records.pause)
        }
    }

    /// Writes what has been put off, or could not be written.
    func writeDueRecords(now: Int64) {
        for id in records.takeDue(now: now) {
            guard let process = processes[id], let record = process.record else {
                records.waiting.remove(id)
                continue
            }
            process.sessionsWrittenAt = now
            write(record, of: id)
        }
    }

    /// Removes all files of a process that is gone; its FIFOs are in the runtime directory of the
    /// balancer that started it.
    func removeFiles(label: String, address: ProcessAddress, runtime: String) {
        switch address {
        case .unix(let path): unsafe unlink(path)
        case .tcp: break
        }
        OutputFifos(label: label, in: runtime).remove()
        do {
            try records.directory?.remove(label)
        } catch {
            // It names a process that has ended, so it does no harm.
            log.debug("the record of \(label) stays in \(error.path): \(error.sentence)")
        }
    }

    /// A failure is told once, and that it is over.
    private func write(_ record: ProcessRecord, of id: UInt64) {
        guard let store = records.directory else { return }
        do {
            try store.write(record)
            records.waiting.remove(id)
            if records.isFailing && records.waiting.isEmpty {
                records.isFailing = false
                records.toldCause = nil
                log.notice("the state directory can be written again: all processes are recorded")
            }
        } catch {
            // Another cause needs another remedy.
            if !records.isFailing || records.toldCause != error.errno {
                records.toldCause = error.errno
                log.error(
                    """
                    the state directory cannot be written: \(error.sentence); processes are served, \
                    but those that are not recorded will not be adopted by a later balancer; free \
                    space in \(store.path), or make it writable
                    """)
            }
            records.failed(id, now: Clock.monotonic())
        }
    }
}
