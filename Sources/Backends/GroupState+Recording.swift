/// What an adoption needs to know of sessions, in the records of their processes.
extension GroupState {
    /// The sessions on a process have changed.
    mutating func noteSessions(at entry: UInt32) {
        if !policy.recordsSessions { return noteUse(of: entry) }
        guard isSpawned else { return }
        processes[Int(entry)].isUnremembered = true
        due.insert(Due(.record))
    }

    /// Whether there are sessions on a process may have changed.
    mutating func noteUse(of entry: UInt32) {
        guard isSpawned, !policy.recordsSessions,
            processes[Int(entry)].isInUse(at: now) != processes[Int(entry)].isRememberedInUse
        else { return }
        processes[Int(entry)].isUnremembered = true
        due.insert(Due(.record))
    }

    /// Orders that the sessions which an adoption needs are kept, where they have changed; of others, whether
    /// there are any.
    mutating func recordSessions() {
        if !policy.recordsSessions { return recordUse() }
        if waitsToRecord() { return }
        var sessions: [ProcessHandle: RememberedSessions] = [:]
        for index in processes.indices where processes[index].isUnremembered {
            processes[index].isUnremembered = false
            if processes[index].phase.holdsSessions {
                sessions[handle(UInt32(index))] = RememberedSessions()
            }
        }
        if sessions.isEmpty { return }
        for lease in leases.all {
            if lease.isConfirmed {
                sessions[lease.process]?.confirmed.append(lease.session)
            } else {
                sessions[lease.process]?.unconfirmed.append(lease.session)
            }
        }
        // In the order of entries, so that runs are reproducible.
        for (process, list) in sessions.sorted(by: { $0.key.index < $1.key.index }) {
            processes[Int(process.index)].isRememberedInUse =
                !list.confirmed.isEmpty || !list.unconfirmed.isEmpty
            orders.supervision.append(.remember(process, list))
        }
    }

    /// Where sessions hold no places there may be very many, all of which are looked at: how long
    /// that has to wait, by their number.
    private static let recordingTime = Interval.milliseconds(10)
    private static let leasesPerRecordingTime = 1000

    /// Whether sessions were recorded a moment ago; the next time is then in `recordingAt`.
    private mutating func waitsToRecord() -> Bool {
        if policy.sessionsPerProcess > 0 { return false }
        if let next = recordingAt, now < next { return true }
        let turns = Int64(1 + leases.count / Self.leasesPerRecordingTime)
        recordingAt = now + Interval(nanoseconds: Self.recordingTime.nanoseconds * turns)
        return false
    }

    /// The time of the next record has come; nothing follows if no session has changed.
    mutating func recordIfDue() {
        guard let next = recordingAt, next <= now else { return }
        recordingAt = nil
        if processes.contains(where: \.isUnremembered) { due.insert(Due(.record)) }
    }

    /// The group records other facts of its sessions from now on.
    mutating func recordAll() {
        for index in processes.indices { processes[index].isUnremembered = true }
        due.insert(Due(.record))
    }

    private mutating func recordUse() {
        for index in processes.indices where processes[index].isUnremembered {
            processes[index].isUnremembered = false
            let isInUse = processes[index].isInUse(at: now)
            guard processes[index].phase.holdsSessions,
                isInUse != processes[index].isRememberedInUse
            else { continue }
            processes[index].isRememberedInUse = isInUse
            orders.supervision.append(.rememberUse(handle(UInt32(index)), isInUse))
        }
    }
}
