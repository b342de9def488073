internal import Testing

@testable internal import Backends

/// A group that a start finds processes of and not in its configuration.
@Suite struct RetiredStartTests {
    private let recorder = Recorder()
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)

    private func policy(_ change: (inout GroupPolicy) -> Void = { _ in }) -> GroupPolicy {
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum, policy.threads) = (2, 4, 2)
        policy.sessionIdle = .seconds(100)
        policy.unconfirmed = .seconds(20)
        policy.drainTimeout = .seconds(1000)
        change(&policy)
        return policy
    }

    private func group(
        budget: SpawnBudget? = nil, _ change: (inout GroupPolicy) -> Void = { _ in }
    ) -> Group {
        Group(
            index: 0, policy: policy(change), seed: 1, executor: recorder, budget: budget,
            now: start)
    }

    private func adopt(
        into group: Group, _ number: UInt64 = 1, _ change: (inout AdoptedProcess) -> Void = { _ in }
    ) throws -> ProcessHandle {
        var process = AdoptedProcess(
            incarnation: Incarnation(number), label: "p\(number)", pid: 1,
            address: .unix(path: "/p\(number)"), generation: 3, isStale: false, wasReady: true,
            hadSessions: true, age: .seconds(1))
        change(&process)
        return try #require(group.adopt(process, now: start))
    }

    private func visit(_ group: Group, at now: MonotonicInstant) -> Admission {
        let claim = AdmissionRequest.Claim(
            session: SessionID(high: 1, low: 1), process: Incarnation(1))
        return group.acquire(
            AdmissionRequest(
                claim: claim, newSession: SessionID(high: 2, low: 2), waiter: WaiterTag(1)),
            now: now)
    }

    @Test func `a process with sessions is kept for as long as one may be idle`() throws {
        let group = group()
        let process = try adopt(into: group)
        group.startRetired(now: start)
        #expect(recorder.events.contains(.draining(process, .retired)))
        group.advance(to: start + .seconds(99))
        #expect(recorder.terminated.isEmpty && recorder.starts.isEmpty && !group.isStopped)
        group.advance(to: start + .seconds(101))
        #expect(recorder.terminated == [process])
        group.exited(process, ExitReport(reason: "exited", status: 0), now: start + .seconds(102))
        #expect(group.isStopped)
    }

    @Test func `a process without sessions is stopped at once`() throws {
        let group = group()
        let process = try adopt(into: group) { $0.hadSessions = false }
        group.startRetired(now: start)
        #expect(recorder.terminated == [process])
    }

    @Test func `after a kill a process may have a session that its record does not show`() throws {
        let group = group()
        let process = try adopt(into: group) { ($0.hadSessions, $0.wasOrphaned) = (false, true) }
        group.startRetired(now: start)
        group.advance(to: start + .seconds(19))
        #expect(recorder.terminated.isEmpty)
        group.advance(to: start + .seconds(21))
        #expect(recorder.terminated == [process])
    }

    @Test func `a process that was retired before the kill has got no session since`() throws {
        let group = group()
        let process = try adopt(into: group) {
            ($0.hadSessions, $0.wasOrphaned) = (false, true)
            ($0.wasDraining, $0.wasRetired) = (true, true)
        }
        group.startRetired(now: start)
        #expect(recorder.terminated == [process])
    }

    @Test func `a process of which nobody knows whether it has sessions is kept`() throws {
        let group = group()
        _ = try adopt(into: group) { $0.hadSessions = nil }
        group.startRetired(now: start)
        group.advance(to: start + .seconds(99))
        #expect(recorder.terminated.isEmpty)
    }

    @Test func `one that was not ready yet is stopped, as by a reload`() throws {
        let group = group()
        let process = try adopt(into: group) { $0.wasReady = false }
        group.startRetired(now: start)
        #expect(recorder.terminated == [process])
    }

    @Test func `the time that it drains is not begun anew by each balancer`() throws {
        let group = group { $0.sessionIdle = .seconds(5000) }
        let until = start + .seconds(300)
        let process = try adopt(into: group) {
            ($0.wasDraining, $0.wasRetired, $0.drainUntil) = (true, true, until)
        }
        group.startRetired(now: start)
        #expect(
            recorder.supervision.contains(.rememberDraining(process, .retired, until: until)))
        group.advance(to: start + .seconds(299))
        #expect(recorder.terminated.isEmpty)
        group.advance(to: until)
        #expect(recorder.terminated == [process])
    }

    @Test func `one that is retired by the start drains for as long as its group had it`() throws {
        let group = group { $0.sessionIdle = .seconds(5000) }
        let process = try adopt(into: group)
        group.startRetired(now: start)
        let until = start + .seconds(1000)
        #expect(
            recorder.supervision.contains(.rememberDraining(process, .retired, until: until)))
        group.advance(to: until)
        #expect(recorder.terminated == [process])
    }

    @Test func `a deadline that no clock can have reached does not overflow`() throws {
        let group = group()
        _ = try adopt(into: group) {
            ($0.wasDraining, $0.drainUntil) = (true, MonotonicInstant(nanoseconds: .max))
        }
        group.startRetired(now: start)
        let left = try #require(group.snapshot(now: start).processes.first?.drainLeft)
        #expect(left == GroupState.longestInterval)
    }

    @Test func `the group is shown as one that has left, and takes nobody new`() throws {
        let group = group()
        _ = try adopt(into: group)
        group.startRetired(now: start)
        let shown = group.snapshot(now: start)
        #expect(shown.state == .stopped && shown.processes.map(\.state) == [.draining])
        #expect(shown.processes[0].stopReason == .retired)
        let request = AdmissionRequest(
            claim: nil, newSession: SessionID(high: 2, low: 2), waiter: WaiterTag(1))
        #expect(group.acquire(request, now: start).refusal?.reason == .shuttingDown)
    }

    @Test func `what is left serves again when the group is back, with its sessions`() throws {
        let group = group()
        let process = try adopt(into: group)
        group.startRetired(now: start)
        group.revive(policy(), newGeneration: false, now: start + .seconds(50))
        #expect(group.snapshot(now: start).processes.first?.state == .ready)
        #expect(recorder.supervision.contains(.rememberServing(process)))
        let grant = try visit(group, at: start + .seconds(50)).grant()
        #expect(grant.process == process && grant.affinity == .kept)
        // The second of its minimum.
        #expect(recorder.starts.count == 1)
    }

    @Test func `with another launch it keeps its own sessions only`() throws {
        let group = group()
        let process = try adopt(into: group)
        group.startRetired(now: start)
        group.revive(policy(), newGeneration: true, now: start)
        #expect(try visit(group, at: start).grant().process == process)
        #expect(group.snapshot(now: start).processes.first?.state == .draining)
        #expect(recorder.starts.count == 2 && group.snapshot(now: start).generation == 4)
    }

    @Test func `neither an older generation nor what was drained by hand serves again`() throws {
        let group = group()
        let stale = try adopt(into: group, 1) { ($0.isStale, $0.generation) = (true, 2) }
        let drained = try adopt(into: group, 2) { $0.wasDraining = true }
        let retired = try adopt(into: group, 3) { ($0.wasDraining, $0.wasRetired) = (true, true) }
        group.startRetired(now: start)
        group.revive(policy(), newGeneration: false, now: start)
        let states = Dictionary(
            uniqueKeysWithValues: group.snapshot(now: start).processes.map { ($0.handle, $0.state) }
        )
        #expect(
            states[stale] == .draining && states[drained] == .draining && states[retired] == .ready)
    }

    @Test func `a start with the group in the file takes up what had been retired`() throws {
        let group = group()
        let retired = try adopt(into: group, 1) {
            ($0.wasDraining, $0.wasRetired, $0.drainUntil) = (true, true, start + .seconds(10))
        }
        let drained = try adopt(into: group, 2) { $0.wasDraining = true }
        group.start(now: start)
        #expect(recorder.supervision.contains(.rememberServing(retired)))
        let states = group.snapshot(now: start).processes.map(\.state)
        #expect(Array(states.prefix(2)) == [.ready, .draining])
        group.advance(to: start + .seconds(11))
        #expect(!recorder.terminated.contains(retired) && !recorder.terminated.contains(drained))
    }

    @Test(arguments: [true, false])
    func `while the balancer before still finishes requests nothing is stopped`(
        wasRetired: Bool
    ) throws {
        let group = group()
        let process = try adopt(into: group) {
            ($0.isShared, $0.hadSessions) = (true, false)
            ($0.wasDraining, $0.wasRetired) = (wasRetired, wasRetired)
        }
        group.startRetired(now: start)
        group.advance(to: start + .seconds(30))
        #expect(recorder.terminated.isEmpty)
        group.endSharing(now: start + .seconds(30))
        // That one may have begun a session in the end, unless the group had left its file.
        #expect(recorder.terminated == (wasRetired ? [process] : []))
        group.advance(to: start + .seconds(51))
        #expect(recorder.terminated == [process])
    }

    @Test func `its processes count among those of all groups until they are gone`() throws {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 1)
        let group = group(budget: budget)
        let process = try adopt(into: group)
        group.startRetired(now: start)
        #expect(budget.counts.living == 1)
        #expect(
            budget.ask(group: 1, rank: 1, need: .nothingServes, now: start)
                == .full(makesRoom: true))
        group.stop(process, now: start)
        group.exited(process, ExitReport(reason: "exited", status: 0), now: start)
        #expect(budget.counts.living == 0)
    }

    @Test func `sessions that hold places keep it until they have ended`() throws {
        let group = group { $0.sessionsPerProcess = 2 }
        let process = try adopt(into: group) {
            $0.wasOrphaned = true
            $0.sessions = .init(unconfirmed: [SessionID(high: 1, low: 1)])
        }
        group.startRetired(now: start)
        #expect(group.snapshot(now: start).drainingSessions == 1)
        group.advance(to: start + .seconds(19))
        #expect(recorder.terminated.isEmpty)
        group.advance(to: start + .seconds(21))
        #expect(recorder.terminated == [process])
    }

    // MARK: What the next balancer is to know

    @Test func `that a process has sessions is remembered, and that it has none any more`() throws {
        let bench = Bench.ready { $0.unconfirmed = .seconds(20) }
        let first = try bench.visit()
        _ = try bench.visit()
        let isInUse = {
            bench.recorder.supervision.compactMap { order -> Bool? in
                if case .rememberUse(first.process, let isInUse) = order { isInUse } else { nil }
            }
        }
        #expect(isInUse() == [true])
        bench.pass(.seconds(30))
        #expect(isInUse() == [true, false])
        _ = try bench.visit()
        #expect(isInUse() == [true, false, true])
    }

    @Test func `it is remembered anew when sessions hold places from now on, or no longer`() throws
    {
        var policy = policy { ($0.minimum, $0.maximum) = (1, 1) }
        let bench = Bench { $0 = policy }
        bench.readyAll()
        let grant = try bench.visit()
        let session = try #require(grant.session)
        policy.sessionsPerProcess = 5
        bench.group.reconfigure(policy, newGeneration: false, now: bench.now)
        #expect(
            bench.recorder.supervision.last
                == .remember(grant.process, RememberedSessions(unconfirmed: [session])))
        bench.group.endSession(session, now: bench.now)
        policy.sessionsPerProcess = 0
        bench.group.reconfigure(policy, newGeneration: false, now: bench.now)
        _ = try bench.visit()
        #expect(bench.recorder.supervision.last == .rememberUse(grant.process, true))
    }

    @Test func `until when a process drains is remembered, and another time for it`() throws {
        let bench = Bench.ready(2)
        let grant = try bench.visit()
        bench.group.drain(grant.process, now: bench.now)
        let until = bench.now + GroupPolicy(name: "").drainTimeout
        #expect(
            bench.recorder.supervision.contains(
                .rememberDraining(grant.process, .drained, until: until)))
        bench.group.drain(grant.process, timeout: .seconds(5), now: bench.now)
        #expect(
            bench.recorder.supervision.contains(
                .rememberDraining(grant.process, .drained, until: bench.now + .seconds(5))))
    }

    @Test func `a policy is kept within the bounds that every policy has`() {
        var wild = GroupPolicy(name: "app")
        (wild.minimum, wild.maximum, wild.threads) = (3_000_000, 4_000_000, 5_000_000)
        wild.drainTimeout = Interval(nanoseconds: .max)
        wild.sessionIdle = Interval(nanoseconds: -1)
        let kept = RetirementPolicy(wild)
        #expect(kept.minimum == 1_000_000 && kept.maximum == 1_000_000 && kept.threads == 1_000_000)
        #expect(kept.drainTimeout == RetirementPolicy.longestInterval)
        #expect(kept.sessionIdle == .milliseconds(1))
        #expect(RetirementPolicy(kept.policy(named: "other")) == kept)
        #expect(kept.policy(named: "other").name == "other")
    }
}
