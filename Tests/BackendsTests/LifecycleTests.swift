internal import Backends
internal import Testing

@Suite struct LifecycleTests {
    @Test func `a crash takes only its own process's sessions`() throws {
        let bench = Bench.ready(2) { $0.threads = 5 }
        let one = try bench.visit()
        let other = try bench.visit()
        bench.exit(one.process)
        #expect(bench.recorder.events.contains(.sessionsLost(one.process, count: 1)))
        #expect(try bench.acquire(as: other).grant().process == other.process)
    }

    @Test func `a place that is used again is another process`() throws {
        let bench = Bench.ready(1)
        let before = try bench.visit()
        bench.exit(before.process)
        let next = try #require(bench.readyAll().first)
        #expect(next.index == before.process.index && next != before.process)
        #expect(bench.group.address(of: before.process) == nil)
        #expect(bench.group.address(of: next) != nil)
        #expect(try bench.acquire(as: before).grant().affinity == .lost)
    }

    @Test func `facts about a process that is gone are ignored`() throws {
        let bench = Bench.ready(1)
        let gone = try bench.visit().process
        bench.exit(gone)
        bench.exit(gone)
        bench.group.becameReady(gone, now: bench.now)
        #expect(bench.snapshot.processes.map(\.state) == [.starting])
    }

    @Test func `a process without a socket is stopped and replaced`() throws {
        let bench = Bench.ready(1)
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        #expect(
            bench.recorder.supervision.last == .terminate(session.process, reason: .unreachable))
        _ = try bench.acquire(as: session).ticket()
        bench.exit(session.process)
        bench.readyAll()
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.affinity == .lost && grant.process != session.process)
    }

    @Test func `a failed connection may be reported before the exit that caused it`() throws {
        let bench = Bench.ready(2)
        let session = try bench.visit()
        let one = try bench.acquire(as: session).grant()
        bench.finish(one, .connectFailed)
        bench.exit(session.process)
        bench.readyAll()
        #expect(bench.snapshot.processes.map(\.state) == [.ready, .ready])
    }

    @Test func `a process that ignores SIGTERM is killed after the stop timeout`() throws {
        let bench = Bench.ready(1) { $0.stopTimeout = .seconds(7) }
        let handle = bench.recorder.starts[0]
        bench.group.shutDown(now: bench.now)
        #expect(bench.recorder.terminated == [handle])
        bench.pass(.milliseconds(6_999))
        #expect(bench.recorder.killed.isEmpty)
        bench.pass(.milliseconds(1))
        #expect(bench.recorder.killed == [handle])
        bench.pass(.seconds(100))
        #expect(bench.recorder.killed == [handle], "once")
        #expect(!bench.group.isStopped)
        bench.exit(handle)
        #expect(bench.group.isStopped)
    }

    @Test func `shutting down refuses waiting and new requests`() throws {
        let bench = Bench.ready(1)
        let running = try bench.acquire().grant()
        _ = bench.acquire()
        _ = try bench.acquire(as: running)
        bench.group.shutDown(now: bench.now)
        let refusals = bench.recorder.takeTraffic().compactMap(\.refusal?.reason)
        #expect(refusals == [.shuttingDown, .shuttingDown])
        #expect(bench.acquire().refusal?.reason == .shuttingDown)
        bench.finish(running)
        bench.exit(running.process)
        #expect(bench.group.isStopped && bench.snapshot.state == .stopped)
        #expect(bench.recorder.starts.count == 1, "the minimum is not restored")
    }

    @Test func `a process that is still starting is stopped at shutdown`() {
        let bench = Bench { $0.minimum = 1 }
        let handle = bench.takeStarts()[0]
        bench.group.shutDown(now: bench.now)
        #expect(bench.recorder.terminated == [handle])
        bench.spawn(handle)
        bench.group.becameReady(handle, now: bench.now)
        #expect(bench.snapshot.processes.map(\.state) == [.stopping])
        bench.exit(handle)
        #expect(bench.group.isStopped)
    }

    @Test func `a draining process keeps its sessions and takes no new one`() throws {
        let bench = Bench.ready(2) { $0.threads = 10 }
        let session = try bench.visit()
        bench.group.drain(session.process, now: bench.now)
        for _ in 0..<5 { #expect(try bench.acquire().grant().process != session.process) }
        #expect(try bench.acquire(as: session).grant().process == session.process)
    }

    @Test func `a draining process ends with its last session`() throws {
        let bench = Bench.ready(2) { $0.sessionIdle = .seconds(10) }
        let session = try bench.visit()
        bench.group.drain(session.process, now: bench.now)
        bench.pass(.milliseconds(9_999))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.milliseconds(1))
        #expect(
            bench.recorder.supervision.last == .terminate(session.process, reason: .drained))
    }

    @Test func `a drained process is replaced as soon as the maximum permits`() throws {
        let bench = Bench.ready(1) { $0.maximum = 2 }
        let session = try bench.visit()
        bench.group.drain(session.process, now: bench.now)
        #expect(bench.recorder.starts.count == 2)
    }

    @Test func `the deadline is published only when it moves forward`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(100) }
        bench.pass(.seconds(61))
        let session = try bench.visit()
        let moves = bench.recorder.deadlineMoves
        for _ in 0..<50 {
            bench.now = bench.now + .seconds(1)
            bench.finish(try bench.acquire(as: session).grant())
        }
        #expect(bench.recorder.deadlineMoves == moves)
        let running = try bench.acquire(as: session).grant()
        _ = try bench.acquire(as: session).ticket()
        #expect(bench.recorder.deadlineMoves == moves + 1, "its queue timeout comes first")
        bench.finish(running)
    }

    @Test func `a clock that seems to go backward stands still`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        _ = try bench.visit()
        bench.group.advance(to: MonotonicInstant(nanoseconds: 0))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(10))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a jump of the clock does all that has become due`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        _ = try bench.visit()
        let running = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        bench.now = bench.now + .seconds(400 * 86_400)
        bench.group.advance(to: bench.now)
        #expect(bench.recorder.takeTraffic().first?.refusal?.reason == .queueTimeout)
        #expect(bench.snapshot.sessionsLive == 1, "one still runs")
        bench.finish(running)
        #expect(try #require(bench.group.nextDeadline) > bench.now)
    }

    @Test func `the snapshot tells transient processes from the minimum`() throws {
        let bench = Bench {
            $0.minimum = 1
            $0.maximum = 2
            $0.placement = .pack
        }
        bench.readyAll()
        _ = bench.acquire()
        _ = bench.acquire()
        bench.readyAll()
        #expect(bench.snapshot.processes.map(\.transient) == [false, true])
        #expect(bench.snapshot.processes.map(\.reason) == [.minimum, .queue])
        #expect(bench.snapshot.spawnedTotal == 2)
    }

    @Test func `how long a process of an earlier balancer took to start is unknown`() throws {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        let group = Group(
            index: 0, policy: GroupPolicy(name: "app"), seed: 1, executor: Recorder(), now: start)
        _ = group.adopt(
            AdoptedProcess(
                incarnation: Incarnation(1), label: "p1", pid: 1, address: .unix(path: "/p"),
                generation: 1, isStale: false, wasReady: true, age: .seconds(90)), now: start)
        group.start(now: start)
        let process = try #require(group.snapshot(now: start).processes.first)
        #expect(process.state == .ready)
        #expect(process.readyAfter == nil)
    }
}
