internal import Testing

@testable internal import Backends

@Suite struct RolloutTests {
    @Test func `new sessions go to a new generation only when it is ready`() throws {
        let bench = Bench.ready(2)
        let old = Set(bench.recorder.starts)
        #expect(bench.group.restart(now: bench.now) == 2)
        let starts = bench.takeStarts()
        #expect(starts.count == 2)
        #expect(old.contains(try bench.visit().process))
        bench.spawn(starts[0])
        bench.group.becameReady(starts[0], now: bench.now)
        #expect(old.contains(try bench.visit().process))
        bench.spawn(starts[1])
        bench.group.becameReady(starts[1], now: bench.now)
        #expect(!old.contains(try bench.visit().process))
        #expect(bench.group.snapshot(now: bench.now).generation == 2)
    }

    @Test func `an old session stays with its process through a rollout`() throws {
        let bench = Bench.ready(1)
        let before = try bench.visit()
        _ = bench.group.restart(now: bench.now)
        while !bench.readyAll().isEmpty {}
        let after = try bench.acquire(as: before).grant()
        #expect(after.process == before.process)
        #expect(bench.recorder.terminated.isEmpty)
    }

    @Test func `a generation that does not start twice is given up and changes nothing`() throws {
        let bench = Bench.ready(1)
        let old = bench.recorder.starts[0]
        _ = bench.group.restart(now: bench.now)
        for _ in 0..<2 {
            let starts = bench.takeStarts()
            #expect(starts.count == 1)
            bench.group.exited(
                starts[0], ExitReport(reason: "exited with status 1", status: 1), now: bench.now)
        }
        #expect(bench.takeStarts().isEmpty)
        let snapshot = bench.group.snapshot(now: bench.now)
        #expect(snapshot.rollout?.state == .failed && snapshot.generation == 1)
        #expect(snapshot.failuresInARow == 0)
        #expect(try bench.visit().process == old)
    }

    @Test(arguments: [false, true])
    func `a generation that is given up leaves what serves as it is`(_ hasFailed: Bool) throws {
        let bench = Bench.ready(1)
        let old = bench.recorder.starts[0]
        _ = bench.group.restart(now: bench.now)
        let report = ExitReport(reason: "exited with status 1", status: 1)
        for _ in 0..<(hasFailed ? 2 : 1) {
            let starts = bench.takeStarts()
            #expect(starts.count == 1)
            if hasFailed { bench.group.exited(starts[0], report, now: bench.now) }
        }
        bench.group.abandonRollout(now: bench.now)
        let snapshot = bench.group.snapshot(now: bench.now)
        #expect(snapshot.rollout == nil && snapshot.generation == 1)
        #expect(
            snapshot.processes.filter { $0.generation == 2 }.allSatisfy { $0.state != .starting })
        #expect(try bench.visit().process == old)
        #expect(bench.takeStarts().isEmpty)
    }

    @Test func `a process that drains for too long gives its sessions up`() throws {
        let bench = Bench.ready(1) { $0.drainTimeout = .seconds(5) }
        let visit = try bench.visit()
        bench.group.drain(visit.process, now: bench.now)
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(6))
        #expect(bench.recorder.terminated == [visit.process])
    }

    @Test func `a recycled process goes when its replacement is ready, and not before`() throws {
        let bench = Bench.ready(1)
        let old = bench.recorder.starts[0]
        bench.group.recycle(old, reason: .maxMemory, now: bench.now)
        #expect(try bench.visit().process == old)
        let starts = bench.takeStarts()
        #expect(starts.count == 1 && bench.recorder.startReasons.last == .recycle)
        bench.spawn(starts[0])
        bench.group.becameReady(starts[0], now: bench.now)
        #expect(try bench.visit().process == starts[0])
    }

    @Test func `only one process of a group is recycled at a time`() {
        let bench = Bench.ready(3)
        for handle in bench.recorder.starts {
            bench.group.recycle(handle, reason: .maxAge, now: bench.now)
        }
        #expect(bench.takeStarts().count == 1)
    }

    @Test func `a process is replaced after its requests, give or take a tenth`() throws {
        let bench = Bench.ready(1) { $0.maxRequests = 20 }
        for _ in 0..<17 { _ = try bench.visit() }
        #expect(bench.takeStarts().isEmpty)
        for _ in 17..<23 { _ = try bench.visit() }
        #expect(bench.takeStarts().count == 1)
    }

    @Test func `an adopted process serves its sessions at once and is not evicted as idle`() throws
    {
        let recorder = Recorder()
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum) = (0, 4)
        policy.idleTimeout = .seconds(1)
        let group = Group(index: 0, policy: policy, seed: 1, executor: recorder, now: now)
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 3, isStale: false, wasReady: true, age: .seconds(100))
        let handle = try #require(group.adopt(adopted, now: now))
        group.start(now: now)
        let claim = AdmissionRequest.Claim(
            session: SessionID(high: 1, low: 1), process: Incarnation(7))
        let request = AdmissionRequest(claim: claim, newSession: nil, waiter: WaiterTag(1))
        guard case .granted(let grant) = group.acquire(request, now: now) else {
            Issue.record("not served")
            return
        }
        #expect(grant.process == handle && grant.placed == .kept)
        group.finished(grant, .served, now: now)
        group.advance(to: now + .seconds(60))
        #expect(recorder.terminated.isEmpty)
        #expect(group.snapshot(now: now).generation == 3)
        group.advance(to: now + policy.sessionIdle + .seconds(120))
        #expect(recorder.terminated == [handle])
    }

    @Test func `a generation that is ready after the group was scaled down keeps its bounds`() {
        let bench = Bench.ready(4)
        _ = bench.group.restart(now: bench.now)
        bench.group.scale(minimum: 1, maximum: 2, now: bench.now)
        while !bench.readyAll().isEmpty {}
        let ready = bench.snapshot.processes.filter { $0.state == .ready }
        #expect(ready.count == 2 && ready.allSatisfy { $0.generation == 2 })
    }

    @Test func `a group whose processes are all adopted makes no request wait`() {
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum) = (2, 2)
        let group = Group(index: 0, policy: policy, seed: 1, executor: Recorder(), now: now)
        for number in 1...2 {
            let adopted = AdoptedProcess(
                incarnation: Incarnation(UInt64(number)), label: "p\(number)", pid: 1,
                address: .unix(path: "/p"), generation: 1, isStale: false, wasReady: true,
                age: .seconds(1))
            #expect(group.adopt(adopted, now: now) != nil)
        }
        group.start(now: now)
        let request = AdmissionRequest(claim: nil, newSession: nil, waiter: WaiterTag(1))
        guard case .granted = group.acquire(request, now: now) else {
            Issue.record("a new session has to wait")
            return
        }
    }

    @Test func `a budget lets no more processes start at once than it has`() {
        let recorder = Recorder()
        let budget = SpawnBudget(concurrency: 1, maxProcesses: 0)
        var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum) = (3, 3)
        let group = Group(
            index: 0, policy: policy, seed: 1, executor: recorder, budget: budget, now: now)
        group.start(now: now)
        for count in 1...3 {
            #expect(recorder.starts.count == count)
            let handle = recorder.starts[count - 1]
            group.spawned(
                handle, incarnation: Incarnation(UInt64(count)), label: "p", pid: 1,
                address: .unix(path: "/p"), now: now)
            group.becameReady(handle, now: now)
            now = now + .milliseconds(30)
            group.advance(to: now)
        }
        #expect(budget.counts.starting == 0 && budget.counts.living == 3)
    }

    @Test func `a group that is taken away does not hold up the starts of others`() {
        let budget = SpawnBudget(concurrency: 1, maxProcesses: 0)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let recorders = [Recorder(), Recorder(), Recorder()]
        let groups = recorders.enumerated().map { index, recorder in
            var policy = GroupPolicy(name: "g\(index)")
            (policy.minimum, policy.maximum) = (2, 2)
            return Group(
                index: index, policy: policy, seed: 1, executor: recorder, budget: budget, now: now)
        }
        for group in groups { group.start(now: now) }
        for (group, recorder) in zip(groups, recorders) {
            group.spawned(
                recorder.starts[0], incarnation: Incarnation(1), label: "p", pid: 1,
                address: .unix(path: "/p"), now: now)
            group.becameReady(recorder.starts[0], now: now)
        }
        #expect(recorders.map(\.starts.count) == [1, 1, 1], "each waits for its second")
        groups[0].advance(to: now + .milliseconds(20))
        #expect(recorders.map(\.starts.count) == [2, 1, 1])
        groups[1].retire(now: now)
        let second = recorders[0].starts[1]
        groups[0].exited(second, ExitReport(reason: "ended", status: 0), now: now)
        groups[2].advance(to: now + .milliseconds(30))
        #expect(recorders[2].starts.count == 2)
    }

    @Test func `one eviction at a time makes room`() {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 1)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        budget.adopted(group: 1, rank: 1, isStarting: false, now: now)
        #expect(budget.ask(group: 0, rank: 1, need: .growth, now: now) == .full(makesRoom: true))
        #expect(budget.ask(group: 0, rank: 1, need: .growth, now: now) == .full(makesRoom: false))
        #expect(budget.ask(group: 1, rank: 1, need: .comfort, now: now) == .full(makesRoom: false))
        budget.ended()
        #expect(budget.ask(group: 1, rank: 1, need: .growth, now: now) == .full(makesRoom: false))
        #expect(budget.ask(group: 0, rank: 1, need: .growth, now: now) == .granted)
    }

    @Test func `a generation that was starting at a crash does not end the one that served`() throws
    {
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let recorder = Recorder()
        let group = Group(
            index: 0, policy: GroupPolicy(name: "app"), seed: 1, executor: recorder, now: now)
        func adopt(_ number: UInt64, generation: Int, wasReady: Bool) -> ProcessHandle? {
            group.adopt(
                AdoptedProcess(
                    incarnation: Incarnation(number), label: "p\(number)", pid: 1,
                    address: .unix(path: "/p"), generation: generation, isStale: false,
                    wasReady: wasReady, age: .seconds(1)), now: now)
        }
        let old = try #require(adopt(1, generation: 1, wasReady: true))
        let new = try #require(adopt(2, generation: 2, wasReady: false))
        group.start(now: now)
        #expect(recorder.terminated == [new])
        let request = AdmissionRequest(claim: nil, newSession: nil, waiter: WaiterTag(1))
        guard case .granted(let grant) = group.acquire(request, now: now) else {
            Issue.record("no process serves")
            return
        }
        #expect(grant.process == old)
    }

    @Test func `an idle process of another group makes room for one that is needed`() {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 1)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let recorders = [Recorder(), Recorder()]
        let groups = recorders.enumerated().map { index, recorder in
            var policy = GroupPolicy(name: "g\(index)")
            (policy.minimum, policy.maximum) = (0, 1)
            return Group(
                index: index, policy: policy, seed: 1, executor: recorder, budget: budget, now: now)
        }
        for group in groups { group.start(now: now) }
        let request = AdmissionRequest(claim: nil, newSession: nil, waiter: WaiterTag(1))
        _ = groups[0].acquire(request, now: now)
        let first = recorders[0].starts[0]
        groups[0].spawned(
            first, incarnation: Incarnation(1), label: "p", pid: 1, address: .unix(path: "/p"),
            now: now)
        groups[0].becameReady(first, now: now)
        for case .grant(_, let grant) in recorders[0].takeTraffic() {
            groups[0].finished(grant, .served, now: now)
        }
        _ = groups[1].acquire(request, now: now)
        #expect(recorders[1].starts.isEmpty)
        #expect(Group.makeRoom(among: groups, now: now))
        #expect(recorders[0].terminated == [first])
        groups[0].exited(first, ExitReport(reason: "ended", status: 0), now: now)
        groups[1].advance(to: now + .milliseconds(30))
        #expect(recorders[1].starts.count == 1)
    }

    @Test func `a new generation takes over with what it has when nothing else is ready`() throws {
        let bench = Bench.ready(2)
        let old = bench.recorder.starts
        _ = bench.group.restart(now: bench.now)
        let starts = bench.takeStarts()
        bench.spawn(starts[0])
        bench.group.becameReady(starts[0], now: bench.now)
        for process in old {
            bench.group.exited(process, ExitReport(reason: "crashed", signal: 11), now: bench.now)
        }
        #expect(try bench.visit().process == starts[0])
        #expect(bench.group.snapshot(now: bench.now).generation == 2)
    }

    @Test func `a generation that is starting needs no more than the bounds allow meanwhile`()
        throws
    {
        let bench = Bench.ready(3)
        _ = bench.group.restart(now: bench.now)
        let starts = bench.takeStarts()
        #expect(starts.count == 3)
        bench.group.scale(minimum: 1, maximum: 1, now: bench.now)
        bench.spawn(starts[0])
        bench.group.becameReady(starts[0], now: bench.now)
        #expect(bench.group.snapshot(now: bench.now).generation == 2)
        #expect(try bench.visit().process == starts[0])
    }

    @Test func `an adopted process that never gets ready is ended at its time, with no other call`()
        throws
    {
        let recorder = Recorder()
        var policy = GroupPolicy(name: "django")
        (policy.minimum, policy.startTimeout) = (0, .seconds(5))
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let group = Group(index: 0, policy: policy, seed: 1, executor: recorder, now: now)
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 1,
            isStale: false, wasReady: false, age: .seconds(1))
        let process = try #require(group.adopt(adopted, now: now))
        group.start(now: now)
        let deadline = try #require(group.nextDeadline)
        #expect(deadline == now + .seconds(5))
        group.advance(to: deadline)
        #expect(recorder.killed == [process])
    }

    /// A group of one process, in a world that has room for no other.
    private func crowded(_ configure: (inout GroupPolicy) -> Void) -> (Bench, SpawnBudget) {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 1)
        let bench = Bench(budget: budget) { policy in
            (policy.minimum, policy.maximum) = (1, 2)
            configure(&policy)
        }
        while !bench.readyAll().isEmpty {}
        return (bench, budget)
    }

    @Test func `a start that finds no room is reported once, and continues with room`() throws {
        let (bench, budget) = crowded { $0.queueTimeout = .seconds(60) }
        let old = bench.recorder.starts[0]
        bench.group.recycle(old, reason: .maxMemory, now: bench.now)
        bench.pass(.seconds(1))
        #expect(!bench.recorder.events.contains(.waitingForRoom(.recycle)))
        bench.pass(.seconds(5))
        #expect(bench.recorder.events.count { $0 == .waitingForRoom(.recycle) } == 1)
        #expect(try #require(bench.group.snapshot(now: bench.now).roomless) >= .seconds(5))
        #expect(try bench.visit().process == old, "it serves on meanwhile")
        budget.set(concurrency: 0, maxProcesses: 2)
        bench.pass(.seconds(1))
        #expect(bench.recorder.startReasons.last == .recycle)
        #expect(bench.group.snapshot(now: bench.now).roomless == nil)
    }

    @Test func `a generation that finds no room is given up after the time for a start`() throws {
        let (bench, budget) = crowded { $0.startTimeout = .seconds(10) }
        let old = bench.recorder.starts[0]
        _ = bench.group.restart(now: bench.now)
        bench.pass(.seconds(9))
        #expect(bench.group.snapshot(now: bench.now).rollout?.state == .starting)
        bench.pass(.seconds(2))
        let rollout = try #require(bench.group.snapshot(now: bench.now).rollout)
        #expect(
            rollout.state == .failed && rollout.report?.reason.contains("max_processes") == true)
        #expect(try bench.visit().process == old)
        // Nothing is left that would wait, and the next attempt has its own time.
        #expect(bench.group.snapshot(now: bench.now).roomless == nil)
        budget.set(concurrency: 0, maxProcesses: 2)
        _ = bench.group.restart(now: bench.now)
        while !bench.readyAll().isEmpty {}
        #expect(try bench.visit().process != old)
    }

    @Test func `a quiet group gives room when its sessions have ended`() {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 1)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "quiet")
        (policy.minimum, policy.sessionIdle, policy.idleTimeout) = (0, .seconds(10), .seconds(3600))
        let group = Group(
            index: 0, policy: policy, seed: 1, executor: Recorder(), budget: budget, now: now)
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 1, isStale: false, wasReady: true, age: .seconds(1))
        #expect(group.adopt(adopted, now: now) != nil)
        group.start(now: now)
        #expect(
            !Group.makeRoom(among: [group], now: now + .seconds(9)), "its sessions may come back")
        #expect(Group.makeRoom(among: [group], now: now + .seconds(11)))
    }
}
