internal import Testing

@testable internal import Backends

/// Processes that were adopted from a balancer which still finishes requests on them.
@Suite struct SharingTests {
    private let recorder = Recorder()
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    private let session = SessionID(high: 1, low: 1)
    private let group: Group
    private let process: ProcessHandle

    init() throws { try self.init(sessionsPerProcess: 0) }

    private init(sessionsPerProcess: Int) throws {
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum) = (0, 4)
        policy.idleTimeout = .seconds(1)
        policy.sessionIdle = .seconds(10)
        policy.sessionsPerProcess = sessionsPerProcess
        group = Group(index: 0, policy: policy, seed: 1, executor: recorder, now: start)
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 1, isStale: false, wasReady: true, isShared: true,
            sessions: .init(confirmed: [session]),
            age: .seconds(100))
        process = try #require(group.adopt(adopted, now: start))
        group.start(now: start)
    }

    private func visit(at now: MonotonicInstant) throws -> Grant {
        let claim = AdmissionRequest.Claim(session: session, process: Incarnation(7))
        let request = AdmissionRequest(claim: claim, newSession: nil, waiter: WaiterTag(1))
        guard case .granted(let grant) = group.acquire(request, now: now) else {
            throw CancellationError()
        }
        return grant
    }

    @Test func `a shared process is not evicted, however idle it looks`() {
        group.advance(to: start + .seconds(1000))
        #expect(recorder.terminated.isEmpty)
        group.drain(process, timeout: .seconds(5000), now: start + .seconds(1001))
        group.advance(to: start + .seconds(2000))
        #expect(recorder.terminated.isEmpty)
    }

    @Test func `sessions that the other balancer served live on from its end`() {
        let end = start + .seconds(1000)
        group.advance(to: end)
        group.endSharing(now: end)
        group.advance(to: end + .seconds(9))
        #expect(recorder.terminated.isEmpty)
        group.advance(to: end + .seconds(11))
        #expect(recorder.terminated == [process])
    }

    @Test func `a process that was drained meanwhile ends with those sessions`() {
        group.drain(process, timeout: .seconds(5000), now: start)
        let end = start + .seconds(1000)
        group.endSharing(now: end)
        group.advance(to: end + .seconds(9))
        #expect(recorder.terminated.isEmpty)
        group.advance(to: end + .seconds(11))
        #expect(recorder.terminated == [process])
    }

    @Test func `where sessions have places they keep them until the other balancer ends`() throws {
        let test = try Self(sessionsPerProcess: 1)
        let end = test.start + .seconds(1000)
        test.group.advance(to: end)
        let grant = try test.visit(at: end)
        #expect(grant.process == test.process && grant.placed == .kept)
        test.group.finished(grant, .served, now: end)
        test.group.endSharing(now: end)
        test.group.advance(to: end + .seconds(11))
        #expect(test.recorder.terminated == [test.process])
    }

    @Test func `an end that is reported twice changes nothing`() {
        group.endSharing(now: start)
        group.endSharing(now: start + .seconds(9))
        group.advance(to: start + .seconds(11))
        #expect(recorder.terminated == [process])
    }
}
