internal import Backends
internal import Glibc
internal import Logging
internal import Reactor
internal import Settings

extension SupervisionLoop {
    /// Writes and returns the record of a process that is about to be spawned; nil if records are
    /// not kept.
    func intend(
        _ launch: LaunchSpec, _ key: ProcessKey, generation: Int, label: String,
        incarnation: Incarnation, endpoint: ListeningEndpoint
    ) -> ProcessRecord? {
        guard records.directory != nil, let boot = records.boot else { return nil }
        let record = ProcessRecord(
            boot: boot, balancer: records.balancer, runtimeDirectory: directory.path,
            process: .none, label: label, incarnation: incarnation, group: launch.groupName,
            generation: generation, fingerprint: launch.fingerprint,
            address: endpoint.first, port: endpoint.isChoice ? endpoint.port : nil,
            user: launch.isolation.account?.user ?? geteuid(), onExit: launch.onExit,
            stage: .intended, hasSessions: false, retirement: launch.retirement,
            outputFile: ProcessRecord.writable(launch.outputFile))
        records.write(record, of: nil, now: Clock.monotonic(), log: log)
        return record
    }

    /// Changes the record of a process and writes it.
    func updateRecord(of process: ManagedProcess, _ change: (inout ProcessRecord) -> Void) {
        guard var record = process.record else { return }
        change(&record)
        guard record != process.record else { return }
        process.record = record
        records.write(record, of: process.id, now: Clock.monotonic(), log: log)
    }

    /// Records the live sessions of a process; written at once unless that was done a moment ago.
    func remember(_ sessions: RememberedSessions, of process: ManagedProcess) {
        guard process.record != nil else { return }
        process.record?.sessions = sessions.prefix(ProcessRecord.mostSessions)
        process.record?.hasSessions = sessions.count > 0
        let now = Clock.monotonic()
        if now - process.sessionsWrittenAt >= Records.pause {
            process.sessionsWrittenAt = now
            if let record = process.record {
                records.write(record, of: process.id, now: now, log: log)
            }
        } else {
            records.wait(process.id, until: process.sessionsWrittenAt + Records.pause)
        }
    }

    /// Notes whether there are sessions on a process: at once that there are, and in time that there are
    /// none, so that one whose sessions come and go is not written each time.
    func rememberUse(_ isInUse: Bool, of process: ManagedProcess) {
        guard process.record != nil else { return }
        process.record?.sessions = RememberedSessions()
        process.record?.hasSessions = isInUse
        let now = Clock.monotonic()
        if isInUse, !records.isWaiting(process.id), let record = process.record {
            records.write(record, of: process.id, now: now, log: log)
        } else {
            records.wait(process.id, until: now + Records.pauseOfUse)
        }
    }

    /// Writes deferred records, and those that could not be written.
    func writeDueRecords(now: Int64) {
        for id in records.takeDue(now: now) {
            guard let process = processes[id], let record = process.record else {
                records.forget(id)
                continue
            }
            process.sessionsWrittenAt = now
            records.write(record, of: id, now: now, log: log)
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
            // It names a process that has exited, so it does no harm.
            log.debug("the record of \(label) stays in \(error.path): \(error.sentence)")
        }
    }
}
