/// The queues: the group's, first come, first served; and each process's for its own sessions,
/// served round-robin by session.
extension GroupState {
    mutating func enqueue(_ request: AdmissionRequest, _ intent: Intent) -> WaiterTicket {
        let waiter = waiters.insert(request, intent, since: arrival(of: request))
        joinGroupQueue(waiter)
        return waiters.ticket(waiter)
    }

    mutating func enqueue(
        _ request: AdmissionRequest, _ intent: Intent, at entry: UInt32
    ) -> WaiterTicket {
        let waiter = waiters.insert(request, intent, since: arrival(of: request))
        joinProcessQueue(waiter, at: entry)
        return waiters.ticket(waiter)
    }

    private func arrival(of request: AdmissionRequest) -> MonotonicInstant {
        min(request.waitingSince ?? now, now)
    }

    /// Whether a request already waited elsewhere for as long as it may.
    func hasWaitedEnough(_ request: AdmissionRequest) -> Bool {
        arrival(of: request) + policy.queueTimeout <= now
    }

    private mutating func joinGroupQueue(_ waiter: UInt32) {
        waiters.link(waiter, into: &queue, .group)
        if waiters[waiter].request.claim != nil { claimantsWaiting += 1 }
        if waiters[waiter].request.isSessionless { sessionlessWaiting += 1 }
        noteLimit()
        due.formUnion(.demand)
        due.insert(Due(.refuseHopeless))
    }

    /// A waiter for its session's process keeps the session alive meanwhile.
    private mutating func joinProcessQueue(_ waiter: UInt32, at entry: UInt32) {
        waiters[waiter].lease = joinLease(waiters[waiter].intent, at: entry)
        waiters.link(waiter, into: &processes[Int(entry)].queue, .process(entry))
        waiters.joinLine(waiter, at: entry, &processes[Int(entry)].turns)
        touch(entry)
    }

    /// Removes a waiter from its queue and leaves its lease.
    private mutating func takeOut(_ waiter: UInt32) {
        switch waiters[waiter].queue {
        case .none: break
        case .group:
            waiters.unlink(waiter, from: &queue)
            if waiters[waiter].request.claim != nil { claimantsWaiting -= 1 }
            if waiters[waiter].request.isSessionless { sessionlessWaiting -= 1 }
        case .process(let entry):
            waiters.leaveLine(waiter, &processes[Int(entry)].turns, servedAt: nil)
            waiters.unlink(waiter, from: &processes[Int(entry)].queue)
            if let lease = waiters[waiter].lease { leaveLease(lease, isAnswered: false) }
            waiters[waiter].lease = nil
            touch(entry)
        }
    }

    mutating func leaveQueue(_ ticket: WaiterTicket) -> Bool {
        guard let waiter = waiters.find(ticket) else { return false }
        takeOut(waiter)
        waiters.remove(waiter)
        return true
    }

    mutating func keepTurn(_ ticket: WaiterTicket) -> Bool {
        guard let waiter = waiters.find(ticket) else { return false }
        waiters[waiter].isOnPage = true
        return true
    }

    // MARK: Serving

    /// Serves the waiters of processes that have changed.
    mutating func serveProcesses() {
        // Serving one process may touch others.
        var position = 0
        while position < touched.count {
            serveWaiters(at: touched[position])
            position += 1
        }
    }

    /// A slot or a session place of a process is free: serves the session that has waited longest
    /// since its last turn, among the process's own and the new ones.
    ///
    /// Serving its own first would starve new sessions.
    private mutating func serveWaiters(at entry: UInt32) {
        let index = Int(entry)
        if processes[index].queue.count == 0 || isShuttingDown { return }
        guard processes[index].phase.serves else { return placeWaitersAgain(of: entry) }
        while processes[index].inFlight < processes[index].slots,
            let (waiter, since) = waiters.nextTurn(of: processes[index].turns)
        {
            if let other = firstInLine(at: entry), waiters[other].since < since,
                !isWithheld(other, from: entry)
            {
                serve(other, at: entry)
                placeClaimantsIfDue()
                continue
            }
            waiters.leaveLine(waiter, &processes[index].turns, servedAt: now)
            waiters.unlink(waiter, from: &processes[index].queue)
            let lease = waiters[waiter].lease
            let grant = grant(on: entry, waiters[waiter].intent, joined: lease)
            deliver(grant, to: waiter, at: entry)
        }
    }

    /// Serves the group's queue while there is room.
    mutating func serveGroup() {
        if queue.count == 0 || isShuttingDown {
            withheld = nil
            return
        }
        var isHeldUp = false
        while !isHeldUp, let waiter = queue.first, let (entry, _) = findRoom() {
            isHeldUp = isWithheld(waiter, from: entry)
            if isHeldUp { break }
            serve(waiter, at: entry)
            placeClaimantsIfDue()
        }
        if !isHeldUp { withheld = nil }
        serveSessionless()
    }

    /// The first of the group's queue that can use a free slot of this process; nil: none.
    private func firstInLine(at entry: UInt32) -> UInt32? {
        if !isGateClosed, hasRoom(processes[Int(entry)]) { return queue.first }
        return hasRoomButPlaces(processes[Int(entry)]) ? firstSessionless : nil
    }

    /// The first waiter that needs only a slot; those before it wait for a session place or for the
    /// gate.
    private var firstSessionless: UInt32? {
        if sessionlessWaiting == 0 { return nil }
        var next = queue.first
        while let waiter = next, !waiters[waiter].request.isSessionless {
            next = waiters[waiter].next
        }
        return next
    }

    /// A request that needs only a slot does not wait behind those that need a session place.
    private mutating func serveSessionless() {
        while let waiter = firstSessionless, let (entry, _) = findRoom(forSession: false) {
            serve(waiter, at: entry)
            placeClaimantsIfDue()
        }
    }

    /// Gives the first of the group's queue a slot.
    mutating func serveFirst(at entry: UInt32) {
        if let waiter = queue.first { serve(waiter, at: entry) }
    }

    /// Gives a waiter of the group's queue a slot.
    private mutating func serve(_ waiter: UInt32, at entry: UInt32) {
        takeOut(waiter)
        deliver(grant(on: entry, waiters[waiter].intent), to: waiter, at: entry)
    }

    /// Sends a waiter its grant; the session of a waiting page begins without one.
    private mutating func deliver(_ grant: Grant, to waiter: UInt32, at entry: UInt32) {
        if waiters[waiter].isOnPage {
            if let lease = grant.lease.flatMap({ leases.find($0) }) {
                leases[lease].isOnPage = true
            }
            giveBackSlot(grant, at: entry)
            releaseLease(of: grant, isAnswered: false)
        } else {
            orders.traffic.append(.grant(waiters[waiter].request.waiter, grant))
        }
        waiters.remove(waiter)
    }

    /// Places a waiter again whose process is gone; its ticket stays valid while it waits.
    private mutating func placeAgain(_ waiter: UInt32) {
        takeOut(waiter)
        let lease = liveLease(of: waiters[waiter].request.claim)
        let decision = decide(waiters[waiter].request, lease)
        confirm(lease, by: waiters[waiter].request.claim)
        switch decision {
        case .grant(let entry, let intent, let choice):
            giveWay(choice)
            deliver(grant(on: entry, intent), to: waiter, at: entry)
        case .waitForProcess(let entry, let intent):
            waiters[waiter].intent = intent
            joinProcessQueue(waiter, at: entry)
        case .waitForGroup(let intent):
            waiters[waiter].intent = intent
            joinGroupQueue(waiter)
        case .refuse(let reason):
            refuse(waiter, reason)
        }
    }

    /// Places the waiters of a process that no longer serves.
    private mutating func placeWaitersAgain(of entry: UInt32) {
        while let waiter = processes[Int(entry)].queue.first { placeAgain(waiter) }
    }

    /// Serving a waiter may have brought back the session of another.
    mutating func placeClaimantsIfDue() {
        guard due.contains(Due(.placeClaimants)) else { return }
        due.remove(Due(.placeClaimants))
        placeClaimants()
    }

    /// Places waiters whose session has a process again, through another request or a server's
    /// return.
    mutating func placeClaimants() {
        if claimantsWaiting == 0 { return }
        var next = queue.first
        while let waiter = next {
            next = waiters[waiter].next
            guard let claim = waiters[waiter].request.claim,
                let index = leases.find(claim.session), isLive(index),
                let entry = find(leases[index].process), processes[Int(entry)].phase.serves
            else { continue }
            placeAgain(waiter)
        }
    }

    // MARK: Refusing

    private mutating func refuse(_ waiter: UInt32, _ reason: Refusal.Reason) {
        takeOut(waiter)
        let refusal = shed(reason)
        orders.traffic.append(.refuse(waiters[waiter].request.waiter, refusal))
        waiters.remove(waiter)
    }

    mutating func refuseGroupQueue(_ reason: Refusal.Reason) {
        while let waiter = queue.first { refuse(waiter, reason) }
    }

    mutating func refuseProcessQueue(at entry: UInt32, _ reason: Refusal.Reason) {
        while let waiter = processes[Int(entry)].queue.first { refuse(waiter, reason) }
    }

    /// Refuses waiters that have waited for too long.
    mutating func refuseLate() {
        while let waiter = queue.first, waiters[waiter].since + policy.queueTimeout <= now {
            refuse(waiter, .queueTimeout)
        }
        for index in processes.indices { refuseLate(at: UInt32(index)) }
    }

    private mutating func refuseLate(at entry: UInt32) {
        while let waiter = processes[Int(entry)].queue.first,
            waiters[waiter].since + policy.queueTimeout <= now
        {
            refuse(waiter, .queueTimeout)
        }
    }

    /// When the first of a queue times out.
    func timeout(of queue: WaiterQueue) -> MonotonicInstant? {
        queue.first.map { waiters[$0].since + policy.queueTimeout }
    }
}
