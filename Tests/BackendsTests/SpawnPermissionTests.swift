internal import Testing

@testable internal import Backends

/// Requests that may not make a process be started.
@Suite struct SpawnPermissionTests {
    private func bench(_ configure: (inout GroupPolicy) -> Void = { _ in }) -> Bench {
        Bench { policy in
            policy.minimum = 0
            policy.maximum = 3
            policy.sessionsPerProcess = 1
            configure(&policy)
        }
    }

    private func request(_ bench: Bench, maySpawn: Bool = false) -> Admission {
        var request = AdmissionRequest(
            claim: nil, newSession: bench.freshSession(), waiter: .init(999))
        request.maySpawn = maySpawn
        return bench.group.acquire(request, now: bench.now)
    }

    @Test func `one for which a process would be started comes back and changes nothing`() {
        let bench = bench()
        #expect(request(bench) == .needsSpawn)
        #expect(bench.takeStarts().isEmpty)
        #expect(bench.snapshot.queueLength == 0)
    }

    @Test func `so does one that may not even wait`() throws {
        let bench = bench { $0.queueLimit = 0 }
        #expect(request(bench) == .needsSpawn)
        #expect(bench.takeStarts().isEmpty)
        #expect(request(bench, maySpawn: true).refusal?.reason == .queueFull)
        #expect(bench.takeStarts().count == 1)
        #expect(request(bench).refusal?.reason == .queueFull, "one is under way already")
    }

    @Test func `with leave it waits for its process`() throws {
        let bench = bench()
        _ = try request(bench, maySpawn: true).ticket()
        #expect(bench.takeStarts().count == 1)
    }

    @Test func `a start that others have caused already may be waited for`() throws {
        let bench = bench {
            $0.sessionsPerProcess = 2; $0.threads = 2
        }
        _ = try bench.acquire().ticket()
        _ = try request(bench).ticket()
        #expect(request(bench) == .needsSpawn)
        #expect(bench.takeStarts().count == 1)
    }

    @Test func `a start that waits for the budget is asked for once`() throws {
        var policy = GroupPolicy(name: "django")
        policy.minimum = 0
        policy.maximum = 3
        policy.threads = 3
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let group = Group(
            index: 0, policy: policy, seed: 1, executor: Recorder(),
            budget: SpawnBudget(concurrency: 1, maxProcesses: 0), now: now)
        group.start(now: now)
        var asked: [UInt64] = []
        for number in 1...9 as ClosedRange<UInt64> {
            var request = AdmissionRequest(
                claim: nil, newSession: SessionID(high: number, low: 0), waiter: .init(number))
            request.maySpawn = false
            if group.acquire(request, now: now) == .needsSpawn {
                asked.append(number)
                request.maySpawn = true
                _ = try group.acquire(request, now: now).ticket()
            }
        }
        #expect(asked == [1, 4, 7])
    }

    @Test func `a start that takes long does not keep other groups from starting`() {
        let budget = SpawnBudget(concurrency: 1, maxProcesses: 0)
        var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        #expect(budget.ask(group: 0, rank: 1, need: .growth, now: now) == .granted)
        #expect(budget.ask(group: 1, rank: 1, need: .growth, now: now) == .wait)
        now = now + .seconds(5)
        #expect(budget.ask(group: 1, rank: 1, need: .growth, now: now) == .granted)
        #expect(budget.ask(group: 2, rank: 1, need: .growth, now: now) == .wait)
        budget.startEnded(group: 1, rank: 1)
        #expect(budget.ask(group: 2, rank: 1, need: .growth, now: now) == .granted)
        #expect(budget.counts.starting == 2)
    }

    @Test func `a start that only sleeps keeps no other group from starting, until it wakes`() {
        let budget = SpawnBudget(concurrency: 1, maxProcesses: 0)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        func ask(_ group: Int, rank: UInt64 = 1) -> SpawnBudget.Answer {
            budget.ask(group: group, rank: rank, need: .growth, now: now)
        }
        #expect(ask(0) == .granted)
        #expect(ask(1) == .wait)
        budget.noteSleep(group: 0, rank: 1, true)
        #expect(ask(1) == .granted)
        budget.startEnded(group: 1, rank: 1)
        budget.noteSleep(group: 0, rank: 1, false)
        #expect(ask(1, rank: 2) == .wait)
    }

    @Test func `of two starts of a group the one that ends is the one that is over`() {
        let budget = SpawnBudget(concurrency: 2, maxProcesses: 0)
        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        func ask(_ group: Int, rank: UInt64) -> SpawnBudget.Answer {
            budget.ask(group: group, rank: rank, need: .growth, now: now)
        }
        #expect(ask(0, rank: 1) == .granted && ask(0, rank: 2) == .granted)
        budget.noteSleep(group: 0, rank: 1, true)
        budget.startEnded(group: 0, rank: 2)
        #expect(ask(1, rank: 1) == .granted && ask(1, rank: 2) == .granted)
        #expect(ask(1, rank: 3) == .wait)
    }

    @Test func `room that is there needs no leave`() throws {
        let bench = bench {
            $0.sessionsPerProcess = 0; $0.threads = 2
        }
        _ = try bench.acquire().ticket()
        bench.readyAll()
        _ = try request(bench).grant()
    }

    @Test func `at the maximum it waits, since nothing would be started`() throws {
        let bench = bench { $0.maximum = 1 }
        _ = try bench.acquire().ticket()
        bench.readyAll()
        _ = try request(bench).ticket()
    }

    @Test func `a process that is kept in reserve is not had for nothing`() throws {
        let bench = bench { policy in
            policy.spare = 1
            policy.minimum = 1
        }
        bench.readyAll()
        #expect(request(bench) == .needsSpawn)
        _ = try request(bench, maySpawn: true).grant()
        #expect(bench.takeStarts().count == 1)
    }

    @Test func `a session of its own is never asked for leave`() throws {
        let bench = bench { $0.threads = 2 }
        _ = try bench.acquire().ticket()
        bench.readyAll()
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        var request = AdmissionRequest(
            claim: .init(session: try #require(grant.session), process: grant.incarnation),
            newSession: nil, waiter: .init(998))
        request.maySpawn = false
        _ = try bench.group.acquire(request, now: bench.now).grant()
    }
}
