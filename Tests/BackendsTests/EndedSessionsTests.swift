internal import Testing

@testable internal import Backends

@Suite struct EndedSessionsTests {
    private func session(_ number: Int) -> SessionID {
        SessionID(high: UInt64(number), low: 0)
    }

    @Test func `a cookie that was kept does not bring a session back that has ended`() throws {
        let bench = Bench.ready()
        let visit = try bench.visit()
        let session = try #require(visit.session)
        #expect(try bench.acquire(as: visit).grant().affinity == .kept)
        bench.finish(visit)
        bench.group.endSession(session, now: bench.now)
        let after = try bench.acquire(as: visit).grant()
        #expect(after.affinity == .new && after.session != session)
    }

    @Test func `nor does it while another request of the session is under way`() throws {
        let bench = Bench.ready { $0.threads = 2 }
        let running = try bench.acquire().grant()
        let session = try #require(running.session)
        bench.group.endSession(session, now: bench.now)
        #expect(try bench.acquire(as: running).grant().affinity == .new)
    }

    @Test func `the latest are known, and only they`() {
        var ended = EndedSessions()
        for number in 0..<EndedSessions.limit { ended.insert(session(number)) }
        ended.insert(session(5))
        #expect(ended.contains(session(0)))
        ended.insert(session(EndedSessions.limit))
        #expect(!ended.contains(session(0)) && ended.contains(session(1)))
        #expect(ended.contains(session(EndedSessions.limit)))
        ended.insert(session(1 << 20))
        #expect(!ended.contains(session(1)) && ended.contains(session(2)))
    }
}
