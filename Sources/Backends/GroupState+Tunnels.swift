/// Tunnels: connections that outlive their request. They need their process, but no slot.
extension GroupState {
    mutating func beginTunnel(_ grant: Grant) -> Bool {
        guard let place = find(grant.process) else {
            releaseLease(of: grant)
            return false
        }
        processes[Int(place)].tunnels += 1
        if grant.session == nil { processes[Int(place)].unpinnedTunnels += 1 }
        if let lease = lease(of: grant).flatMap({ leases.find($0) }) { leases.beginTunnel(lease) }
        if policy.tunnelSlots { return true }
        giveBackSlot(grant, at: place)
        processes[Int(place)].requestsTotal += 1
        processes[Int(place)].hasServed = true
        noteAnswer(of: place)
        noteServed(readyFor: processes[Int(place)].readyFor(at: now))
        // From here on payload keeps the session alive, and nothing else.
        releaseLease(of: grant)
        return false
    }

    /// Payload has passed: the session is alive.
    mutating func tunnelTraffic(_ grant: Grant) {
        guard let session = grant.session else { return }
        if let index = leases.find(session) {
            if leases[index].isLive(at: now) { leases[index].lastSeen = now }
            return
        }
        // Its user is back after the idle time, and its state is where it was. Not so where sessions
        // have places: this one's may be somebody else's by now.
        guard policy.sessionsPerProcess == 0, let place = find(grant.process),
            processes[Int(place)].phase.serves,
            let lease = joinLease(
                Intent(session: session, affinity: .kept, placed: .kept, isConfirmed: true),
                at: place)
        else { return }
        leaveLease(lease)
    }

    mutating func endTunnel(
        _ grant: Grant, _ outcome: ExchangeOutcome, heldSlot: Bool
    ) {
        guard let place = find(grant.process) else {
            return heldSlot ? releaseLease(of: grant) : ()
        }
        let index = Int(place)
        processes[index].tunnels = max(0, processes[index].tunnels - 1)
        if grant.session == nil {
            processes[index].unpinnedTunnels = max(0, processes[index].unpinnedTunnels - 1)
        }
        if let lease = lease(of: grant).flatMap({ leases.find($0) }) {
            leases.endTunnel(lease, now: now)
        }
        if outcome == .failed { processes[index].errorsTotal += 1 }
        // A tunnel that breaks says little of how the process answers requests.
        if heldSlot { return finished(grant, outcome == .failed ? .abandoned : outcome) }
        processes[index].idleSince = now
        touch(place)
    }
}
