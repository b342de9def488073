/// Tunnels: connections that outlive their request.
///
/// They need their process, but no slot.
extension GroupState {
    mutating func beginTunnel(_ grant: Grant) -> Bool {
        guard let entry = find(grant.process) else {
            releaseLease(of: grant, isAnswered: true)
            return false
        }
        processes[Int(entry)].tunnels += 1
        if grant.session == nil { processes[Int(entry)].unpinnedTunnels += 1 }
        if let lease = lease(of: grant).flatMap({ leases.find($0) }) {
            leases.beginTunnel(lease)
            leases[lease].owed = nil
        }
        if policy.tunnelSlots { return true }
        giveBackSlot(grant, at: entry)
        processes[Int(entry)].requestsTotal += 1
        processes[Int(entry)].hasServed = true
        noteAnswer(of: entry)
        noteServed(readyFor: processes[Int(entry)].readyFor(at: now))
        // From here on only payload keeps the session alive.
        releaseLease(of: grant, isAnswered: true)
        return false
    }

    /// Payload has passed: the session is alive.
    mutating func tunnelTraffic(_ grant: Grant) {
        guard let session = grant.session else { return }
        if let index = leases.find(session) {
            if isLive(index) { leases[index].lastSeen = now }
            return
        }
        // The user is back after the idle time, and the state is still on the process. Not with
        // session places: another session may hold this one's by now.
        guard policy.sessionsPerProcess == 0, !ended.contains(session),
            let entry = find(grant.process),
            processes[Int(entry)].phase.serves,
            let lease = joinLease(
                Intent(session: session, affinity: .kept, placed: .kept, isConfirmed: true),
                at: entry)
        else { return }
        leaveLease(lease, isAnswered: true)
    }

    mutating func endTunnel(
        _ grant: Grant, _ outcome: ExchangeOutcome, heldSlot: Bool
    ) {
        guard let entry = find(grant.process) else {
            return heldSlot ? releaseLease(of: grant, isAnswered: true) : ()
        }
        let index = Int(entry)
        processes[index].tunnels = max(0, processes[index].tunnels - 1)
        if grant.session == nil {
            processes[index].unpinnedTunnels = max(0, processes[index].unpinnedTunnels - 1)
        }
        if let lease = lease(of: grant).flatMap({ leases.find($0) }) {
            leases.endTunnel(lease, now: now)
        }
        if outcome == .failed { processes[index].errorsTotal += 1 }
        // A broken tunnel does not indicate how the process answers requests.
        if heldSlot {
            let outcome = outcome == .failed ? .abandoned : outcome
            return finished(grant, outcome, isAnswered: true)
        }
        processes[index].idleSince = now
        touch(entry)
    }
}
