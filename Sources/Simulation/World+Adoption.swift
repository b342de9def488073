internal import Backends

/// Another balancer replaces one that was killed.
extension World {
    /// Living processes are found by their records, and adopted; all connections are lost.
    func adoptAll(budget: SpawnBudget?, isTakeover: Bool) throws(Violation) {
        doubtSessionsWithoutLease()
        withoutLease = 0
        try checkRecords()
        history.note(now, isTakeover ? "another balancer takes over" : "kill -9, and another")
        let before = shadow
        (running, waiting, tunnels, mail) = ([], [], [], [])
        renewGroup(budget: budget)
        // The file may have the group again by now.
        if isRetired { isRetired = chance.percent("staysRetired", 50) }
        shadow = ShadowModel(policy: scenario.policy)
        var names: [ProcessHandle: ProcessHandle] = [:]
        for process in before.processes.values.sorted(by: { $0.handle < $1.handle }) {
            names[process.handle] = try adopt(process, isShared: isTakeover)
        }
        agenda.rename(names)
        // Cookies in responses in transit never arrived; of two tabs only the newer one remains.
        let cookies = clients.compactMap(\.cookie)
        for index in clients.indices { clients[index].staleCookie = nil }
        for (session, pin) in before.pins {
            guard let handle = names[pin.process],
                let incarnation = before.processes[pin.process]?.incarnation,
                cookies.contains(where: { $0.session == session && $0.process == incarnation })
            else { continue }
            shadow.carryOver(session, pin, to: handle, isElsewhere: isTakeover, now: now)
        }
        remembered = Dictionary(
            uniqueKeysWithValues: remembered.compactMap { handle, sessions in
                names[handle].map { ($0, sessions) }
            })
        drainingOnRecord = Dictionary(
            uniqueKeysWithValues: drainingOnRecord.compactMap { handle, drain in
                names[handle].map { ($0, drain) }
            })
        usedOnRecord = Set(usedOnRecord.compactMap { names[$0] })
        holdsOnRecord = Dictionary(
            uniqueKeysWithValues: holdsOnRecord.compactMap { handle, hold in
                names[handle].map { ($0, hold) }
            })
        unreportedExits = []
        ignoresTermination = []
    }

    /// A process that was stopping, has exited, or had no record yet is dropped.
    private func adopt(
        _ process: ShadowModel.Process, isShared: Bool
    ) throws(Violation) -> ProcessHandle? {
        guard let incarnation = process.incarnation, !unreportedExits.contains(process.handle),
            process.state == .starting || process.serves
        else { return nil }
        let adopted = AdoptedProcess(
            incarnation: incarnation, label: "p\(incarnation.value)", pid: 1,
            address: .unix(path: "/run/p\(incarnation.value)"), generation: process.generation,
            isStale: chance.percent("isStale", 10), wasReady: process.serves,
            wasDraining: drainingOnRecord[process.handle] != nil,
            wasRetired: drainingOnRecord[process.handle]?.reason == .retired,
            drainUntil: drainingOnRecord[process.handle]?.until,
            hadSessions: hadSessions(process.handle),
            sessionHold: holdsOnRecord[process.handle] ?? .zero, isShared: isShared,
            wasOrphaned: !isShared && chance.percent("wasOrphaned", 50),
            sessions: remembered[process.handle] ?? RememberedSessions(),
            age: .seconds(chance.int("age", in: 0...100)))
        guard let handle = group.adopt(adopted, now: now) else {
            throw Violation(.requestToUnknownProcess, "\(process.handle) was not adopted")
        }
        history.note(now, "\(process.handle) is \(handle)")
        summary.adopted += 1
        shadow.adopted(handle, process, isShared: isShared)
        return handle
    }

    /// The previous balancer has no more requests.
    func endSharing() throws(Violation) {
        history.note(now, "the balancer before has ended")
        shadow.endSharing(now: now)
        group.endSharing(now: now)
        try attend()
        alarm = group.nextDeadline
    }

    /// With session places, every living session must be recorded, as must draining processes.
    private func checkRecords() throws(Violation) {
        for process in shadow.processes.values where process.state == .draining {
            if drainingOnRecord[process.handle] == nil {
                throw Violation(.sessionNotRemembered, "\(process.handle) must serve no one new")
            }
        }
        guard scenario.policy.sessionsPerProcess > 0 else { return try checkUse() }
        for process in shadow.processes.values where process.serves {
            let known = remembered[process.handle] ?? RememberedSessions()
            for (session, isConfirmed) in shadow.certainSessions(on: process.handle, now: now)
            where !known.confirmed.contains(session)
                && (isConfirmed || !known.unconfirmed.contains(session))
            {
                throw Violation(
                    .sessionNotRemembered, "session \(session.high) on \(process.handle)")
            }
        }
    }
}

extension World {
    /// What a process's record says; nil, as for one of long ago: nothing.
    private func hadSessions(_ handle: ProcessHandle) -> Bool? {
        if chance.percent("isOldRecord", 10) {
            // The registry takes it for one in use until it has it written otherwise.
            usedOnRecord.insert(handle)
            return nil
        }
        guard scenario.policy.sessionsPerProcess > 0 else { return usedOnRecord.contains(handle) }
        let known = remembered[handle] ?? RememberedSessions()
        return !known.confirmed.isEmpty || !known.unconfirmed.isEmpty
    }

    /// Which processes have living sessions is in their records, too.
    private func checkUse() throws(Violation) {
        for process in shadow.processes.values where process.serves {
            let sessions = shadow.certainSessions(on: process.handle, now: now)
            if !sessions.isEmpty, !usedOnRecord.contains(process.handle) {
                throw Violation(.sessionNotRemembered, "none is known on \(process.handle)")
            }
        }
    }
}

/// What the record of a process says of its drain.
struct DrainOnRecord {
    var reason: StopReason
    var until: MonotonicInstant
}

extension ProcessHandle {
    fileprivate static func < (one: ProcessHandle, other: ProcessHandle) -> Bool {
        (one.index, one.serial) < (other.index, other.serial)
    }
}
