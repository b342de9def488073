internal import Testing

@testable internal import Backends

/// A rush in which all slots are taken: who frees one first is not to have all the sessions.
@Suite struct EvennessTests {
    /// Two processes of one slot each, both taken; the first has ten sessions more than the other.
    private let bench: Bench
    private let full: Grant
    private let other: Grant

    init() throws {
        bench = Bench.ready(2) { $0.threads = 1 }
        let first = try bench.acquire().grant()
        var second = try bench.acquire().grant()
        for _ in 0..<10 {
            bench.finish(second)
            second = try bench.acquire().grant()
        }
        (full, other) = (second, first)
        #expect(full.process != other.process)
    }

    private var granted: [ProcessHandle] {
        bench.recorder.takeTraffic().compactMap { order in
            if case .grant(_, let grant) = order { grant.process } else { nil }
        }
    }

    /// The other process has just freed its slot, and has it taken again.
    private func isBusyAgain() throws {
        let claim = try #require(other.session)
        _ = try bench.acquire(claim, on: other.incarnation).ticket()
        bench.finish(other)
        _ = granted
    }

    @Test func `a new session waits a moment for the process with fewer`() throws {
        try isBusyAgain()
        _ = try bench.acquire().ticket()
        bench.finish(full)
        #expect(granted.isEmpty)
        #expect(bench.group.nextDeadline == bench.now + .milliseconds(50))
        bench.pass(.milliseconds(51))
        #expect(granted == [full.process])
    }

    @Test func `the process with fewer has it as soon as it can`() throws {
        let claim = try #require(other.session)
        let again = AdmissionRequest.Claim(session: claim, process: other.incarnation)
        let request = AdmissionRequest(claim: again, newSession: nil, waiter: .init(777))
        let ticket = try bench.group.acquire(request, now: bench.now).ticket()
        bench.finish(other)
        guard case .grant(_, let second)? = bench.recorder.takeTraffic().first else {
            Issue.record("\(ticket) was not served")
            return
        }
        _ = try bench.acquire().ticket()
        bench.finish(full)
        #expect(granted.isEmpty)
        bench.finish(second)
        #expect(granted == [other.process])
    }

    @Test func `a process that hangs is not waited for`() throws {
        bench.pass(.seconds(1))
        _ = try bench.acquire().ticket()
        bench.finish(full)
        #expect(granted == [full.process])
    }

    @Test func `a request without a session is not held up`() throws {
        try isBusyAgain()
        _ = try bench.acquire(pinned: false).ticket()
        bench.finish(full)
        #expect(granted == [full.process])
    }

    @Test func `a session that is withheld may leave, and the next one has its own time`() throws {
        try isBusyAgain()
        let ticket = try bench.acquire().ticket()
        _ = try bench.acquire().ticket()
        bench.finish(full)
        #expect(bench.group.leaveQueue(ticket, now: bench.now))
        #expect(granted.isEmpty)
        bench.pass(.milliseconds(51))
        #expect(granted == [full.process])
    }

    @Test func `a shutdown leaves nothing to come back to`() throws {
        try isBusyAgain()
        _ = try bench.acquire().ticket()
        bench.finish(full)
        bench.group.shutDown(now: bench.now)
        // Not by `pass`, which would go on for as long as something is due.
        let later = bench.now + .milliseconds(51)
        bench.group.advance(to: later)
        #expect(bench.group.nextDeadline.map { $0 > later } ?? true)
    }
}
