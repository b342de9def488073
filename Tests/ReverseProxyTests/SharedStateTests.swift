internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

/// What loops have in common: connections are assigned and counted, and the end is reported once.
@Suite struct SharedStateTests {
    /// How often something was reported.
    private final class Tally: Sendable {
        private let value = Atomic<Int>(0)

        var count: Int { value.load(ordering: .relaxed) }
        func tell() { value.add(1, ordering: .relaxed) }
    }

    private static func shared(loops: Int) throws -> (SharedState, [EventLoop]) {
        let loops = try (0..<loops).map { _ in try EventLoop() }
        let settings = ProxySettings(
            listeners: [], routes: RouteTable([]), routeSettings: [], groups: [],
            keyring: Keyring(firstKey: [UInt8](repeating: 1, count: 32)))
        let shares = loops.enumerated().map { index, loop in
            WorkerShare(name: "proxy-\(index)", mailbox: Mailbox(waker: loop.waker))
        }
        let shared = SharedState(
            settings: settings, groups: [], shares: shares, accessLog: nil,
            logThrottle: LogThrottle { _, _ in })
        return (shared, loops)
    }

    @Test func `connections are dealt to the loop with the fewest, the first of equals`() throws {
        let (shared, _) = try Self.shared(loops: 3)
        var dealt: [Int] = []
        for _ in 0..<4 {
            let target = shared.leastLoaded()
            shared.connectionOpened(worker: target)
            dealt.append(target)
        }
        #expect(dealt == [0, 1, 2, 0])
        shared.connectionClosed(worker: 1)
        #expect(shared.leastLoaded() == 1)
    }

    @Test func `a drain ends once, with the last connection`() throws {
        let (shared, _) = try Self.shared(loops: 2)
        let ends = Tally()
        shared.connectionOpened(worker: 0)
        shared.connectionOpened(worker: 1)
        shared.drain(until: .max, .leave) { ends.tell() }
        shared.acceptingEnded()
        shared.connectionClosed(worker: 0)
        #expect(ends.count == 0)
        shared.connectionClosed(worker: 1)
        #expect(ends.count == 1)
        shared.connectionOpened(worker: 0)
        shared.connectionClosed(worker: 0)
        #expect(ends.count == 1)
    }

    @Test func `a drain without connections ends when no loop accepts any more, and not before`()
        throws
    {
        let (shared, _) = try Self.shared(loops: 1)
        let ends = Tally()
        shared.connectionOpened(worker: 0)
        shared.drain(until: .max, .end) { ends.tell() }
        shared.connectionClosed(worker: 0)
        #expect(ends.count == 0, "another may be on its way")
        shared.acceptingEnded()
        #expect(ends.count == 1)
    }

    @Test func `a drain waits for the balancer that may still send connections`() throws {
        let (shared, _) = try Self.shared(loops: 1)
        let ends = Tally()
        shared.sourceOpened()
        shared.drain(until: .max, .end) { ends.tell() }
        shared.acceptingEnded()
        #expect(ends.count == 0)
        shared.sourceEnded()
        #expect(ends.count == 1)
    }

    @Test func `the loop that accepts is woken once by connections that end at the limit`() throws {
        let (shared, _) = try Self.shared(loops: 2)
        for _ in 0..<3 { shared.connectionOpened(worker: 1) }
        shared.connectionClosed(worker: 1)
        #expect(shared.shares[0].mailbox.isEmpty, "no loop waits")
        shared.acceptingPaused.store(true, ordering: .relaxed)
        shared.connectionClosed(worker: 1)
        shared.connectionClosed(worker: 1)
        var messages: [WorkerMessage] = []
        shared.shares[0].mailbox.drain(into: &messages)
        #expect(messages.count == 1)
        #expect(shared.shares[1].mailbox.isEmpty)
    }

    @Test func `connections to processes are counted up to their limit, and given back`() throws {
        let (shared, _) = try Self.shared(loops: 1)
        #expect(shared.takeUpstream(limit: 2))
        #expect(shared.takeUpstream(limit: 2))
        #expect(!shared.takeUpstream(limit: 2))
        #expect(!shared.takeUpstream(limit: 2), "a refusal takes nothing")
        shared.giveUpstream()
        #expect(shared.takeUpstream(limit: 2))
    }

    @Test func `the end of all loops is reported once, by the last`() throws {
        let (shared, _) = try Self.shared(loops: 2)
        let ends = Tally()
        shared.stop { ends.tell() }
        shared.loopEnded(1)
        #expect(ends.count == 0)
        shared.loopEnded(0)
        #expect(ends.count == 1)
    }
}
