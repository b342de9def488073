/// Explains decisions, using the same decision function as requests.
extension GroupState {
    /// What the registry would do with a request now, and why; changes nothing.
    func explain(_ request: AdmissionRequest) -> PlacementExplanation {
        let lease = request.claim.flatMap { leases.find($0.session) }
            .flatMap { isLive($0) ? $0 : nil }
        let decision = isShuttingDown ? .refuse(.shuttingDown) : decide(request, lease)
        return PlacementExplanation(
            outcome: outcome(of: decision), rule: rule(of: decision),
            position: position(of: decision), startsProcess: wouldStart(decision),
            candidates: processes.indices.filter { !processes[$0].phase.isGone }.map { index in
                .init(
                    process: handle(UInt32(index)),
                    verdict: verdict(on: index, decision, forSession: !request.isSessionless))
            })
    }

    private func outcome(of decision: Decision) -> PlacementExplanation.Outcome {
        switch decision {
        case .grant(let entry, _, _): .granted(handle(entry))
        case .waitForProcess(let entry, _): .waitsForProcess(handle(entry))
        case .waitForGroup: .waits
        case .refuse(let reason): .refused(reason)
        }
    }

    private func rule(of decision: Decision) -> PlacementExplanation.Rule {
        switch decision {
        case .grant(_, _, .own), .waitForProcess, .refuse(.processQueueFull): .ownProcess
        case .grant(_, _, .fewest), .grant(_, _, .fewestPermanent),
            .grant(_, _, .fullestBelowTarget), .grant(_, _, .givenWay):
            .room
        case .waitForGroup, .refuse(.queueFull), .refuse(.groupFailing), .refuse(.queueTimeout):
            .noRoom
        case .refuse(.sessionLost): .lostSession
        case .refuse(.shuttingDown): .closed
        }
    }

    private func position(of decision: Decision) -> Int? {
        switch decision {
        case .waitForProcess(let entry, _): processes[Int(entry)].queue.count
        case .waitForGroup: queue.count
        case .grant, .refuse: nil
        }
    }

    private func verdict(
        on index: Int, _ decision: Decision, forSession: Bool
    ) -> PlacementExplanation.Verdict {
        switch decision {
        case .grant(let entry, _, let choice):
            if entry == index { return .chosen }
            if choice == .own { return .notOwn }
            return obstacle(on: index, forSession: forSession) ?? rank(of: index, below: choice)
        case .waitForProcess(let entry, _):
            return entry == index ? .noSlot : .notOwn
        case .refuse(.processQueueFull), .refuse(.sessionLost):
            return obstacle(on: index, forSession: forSession) ?? .notOwn
        case .waitForGroup, .refuse:
            if let obstacle = obstacle(on: index, forSession: forSession) { return obstacle }
            return isGateClosed && forSession ? .coldStart : .othersFirst
        }
    }

    /// Why a process cannot take the request; nil: it has room.
    private func obstacle(on index: Int, forSession: Bool) -> PlacementExplanation.Verdict? {
        switch processes[index].phase {
        case .starting: return .starting
        case .draining: return .draining
        case .stopping: return .stopping
        case .down, .gone: return .down
        case .ready: break
        }
        if processes[index].standing != .serving { return .otherGeneration }
        if processes[index].markedForRecycling?.isIllness == true { return .unhealthy }
        if processes[index].inFlight >= processes[index].slots { return .noSlot }
        guard forSession, isFull(processes[index]) else { return nil }
        return processes[index].keepsPlaces ? .placesKept : .noSessionPlace
    }

    /// Why another process with room was preferred.
    private func rank(of index: Int, below choice: Choice) -> PlacementExplanation.Verdict {
        switch choice {
        case .own: .notOwn
        case .fewestPermanent:
            if !processes[index].isPermanent {
                .transient
            } else {
                isBelowTarget(index) ? .lessSuitable : .aboveTarget
            }
        case .fullestBelowTarget: isBelowTarget(index) ? .lessSuitable : .aboveTarget
        case .fewest, .givenWay: .lessSuitable
        }
    }
}
