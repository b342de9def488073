internal import Backends
internal import Testing

/// Groups that share what may start at once: a slow one does not hold up the others.
@Suite struct StartNeedTests {
    private let budget = SpawnBudget(concurrency: 1, maxProcesses: 0)

    private func group(
        _ name: String, _ index: Int, _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) -> Bench {
        Bench(name, index: index, budget: budget) { policy in
            policy.threads = 4
            configure(&policy)
        }
    }

    @Test func `a group with nothing ready starts one process at once`() throws {
        let fast = group("fast", 0)
        fast.readyAll()
        _ = try fast.visit()
        let slow = group("slow", 1) {
            $0.minimum = 8
            $0.maximum = 8
        }
        #expect(slow.recorder.starts.count == 1, "it gets no second one while the first starts")
        fast.exit(fast.recorder.starts[0])
        #expect(fast.recorder.starts.count == 2)
    }

    @Test func `and so does every group when the program starts`() {
        let groups = (0..<5).map { group("g\($0)", $0) }
        #expect(groups.map(\.recorder.starts.count) == [1, 1, 1, 1, 1])
    }

    @Test func `but it waits for its second one`() {
        let one = group("one", 0) { ($0.minimum, $0.maximum) = (2, 2) }
        #expect(one.recorder.starts.count == 1)
        one.readyAll()
        #expect(one.recorder.starts.count == 2)
    }

    @Test func `a replacement starts before growth that has waited for longer`() throws {
        let growing = group("growing", 0) { ($0.minimum, $0.maximum) = (1, 4) }
        growing.readyAll()
        let maimed = group("maimed", 1) { ($0.minimum, $0.maximum) = (2, 2) }
        maimed.readyAll()
        maimed.readyAll()
        for _ in 0..<2 { _ = try maimed.visit() }
        // A process that starts now delays both.
        let slow = group("slow", 2)
        for _ in 0..<5 { _ = growing.acquire() }
        #expect(growing.recorder.starts.count == 1)
        maimed.exit(maimed.recorder.starts[0])
        #expect(maimed.recorder.starts.count == 2)
        slow.readyAll()
        growing.pass(.milliseconds(25))
        #expect(growing.recorder.starts.count == 1, "the one that replaces is before it")
        maimed.pass(.milliseconds(25))
        #expect(maimed.recorder.starts.count == 3)
        maimed.readyAll()
        growing.pass(.milliseconds(25))
        #expect(growing.recorder.starts.count == 2)
    }

    @Test func `a start that only sleeps does not hold up another group's growth`() throws {
        let sleeper = group("sleeper", 0)
        let growing = group("growing", 1) { ($0.minimum, $0.maximum) = (2, 2) }
        growing.readyAll()
        growing.pass(.milliseconds(25))
        #expect(growing.recorder.starts.count == 1)
        sleeper.group.startSleeps(sleeper.recorder.starts[0], true, now: sleeper.now)
        growing.pass(.milliseconds(25))
        #expect(growing.recorder.starts.count == 2)
        // A report that comes too late changes nothing.
        sleeper.readyAll()
        sleeper.group.startSleeps(sleeper.recorder.starts[0], false, now: sleeper.now)
        #expect(budget.counts.starting == 1)
    }

    @Test func `no group gives a process up for one ahead of need`() {
        let budget = SpawnBudget(concurrency: 0, maxProcesses: 2)
        let bench = Bench(budget: budget) { policy in
            (policy.minimum, policy.maximum) = (2, 4)
            policy.sessionsPerProcess = 2
            policy.threads = 4
        }
        bench.readyAll()
        for _ in 0..<4 { _ = bench.acquire() }
        #expect(bench.recorder.starts.count == 2)
        #expect(bench.snapshot.roomless == nil)
    }
}
