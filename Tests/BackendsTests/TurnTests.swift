internal import Backends
internal import Testing

/// Sessions that wait for one process take turns.
@Suite struct TurnTests {
    /// A process of one slot, with a page's first part running and the others waiting.
    private let bench = Bench.ready()
    private let page: Grant
    private let visitor: Grant

    init() throws {
        visitor = try bench.visit()
        page = try bench.acquire().grant()
    }

    private func ask(as grant: Grant) throws -> WaiterTag {
        _ = try bench.acquire(as: grant).ticket()
        return bench.lastTag
    }

    /// Finishes one request after the other; the waiters in the order in which they are served.
    private func served(_ count: Int, after first: Grant) throws -> [WaiterTag] {
        var (running, tags) = (first, [WaiterTag]())
        for _ in 0..<count {
            bench.now = bench.now + .milliseconds(10)
            bench.finish(running)
            let order = try #require(bench.recorder.takeTraffic().first)
            tags.append(order.tag)
            running = try #require(order.grant)
        }
        return tags
    }

    @Test func `a page of two hundred parts does not delay another visitor`() throws {
        for _ in 0..<199 { _ = try ask(as: page) }
        bench.now = bench.now + .milliseconds(1)
        let click = try ask(as: visitor)
        #expect(try served(2, after: page).contains(click))
    }

    @Test func `nor does it delay a visitor who is new`() throws {
        for _ in 0..<199 { _ = try ask(as: page) }
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.acquire().ticket()
        let new = bench.lastTag
        #expect(try served(2, after: page).contains(new))
    }

    @Test func `nor one whose process has gone`() throws {
        let bench = Bench.ready(2)
        let page = try bench.acquire().grant()
        let other = try bench.acquire().grant()
        for _ in 0..<50 { _ = try bench.acquire(as: page).ticket() }
        _ = try bench.acquire(as: other).ticket()
        bench.exit(other.process)
        let moved = bench.lastTag
        var (running, served) = (page, [WaiterTag]())
        for _ in 0..<3 {
            bench.now = bench.now + .milliseconds(10)
            bench.finish(running)
            let order = try #require(bench.recorder.takeTraffic().first)
            served.append(order.tag)
            running = try #require(order.grant)
        }
        #expect(served.contains(moved))
    }

    @Test func `sessions are served round robin, and each in the order of its requests`() throws {
        let third = try bench.acquire(pinned: true).ticket()
        #expect(bench.group.leaveQueue(third, now: bench.now))
        let first = try (0..<3).map { _ in try ask(as: page) }
        let second = try (0..<2).map { _ in try ask(as: visitor) }
        #expect(
            try served(5, after: page) == [first[0], second[0], first[1], second[1], first[2]])
    }

    @Test func `a request that leaves gives its turn to the next of its session`() throws {
        let leaving = try bench.acquire(as: page).ticket()
        let next = try ask(as: page)
        let click = try ask(as: visitor)
        #expect(bench.group.leaveQueue(leaving, now: bench.now))
        #expect(try served(2, after: page) == [next, click])
    }

    @Test func `a session that has left the queue comes back at its end`() throws {
        let only = try bench.acquire(as: page).ticket()
        let click = try ask(as: visitor)
        #expect(bench.group.leaveQueue(only, now: bench.now))
        bench.now = bench.now + .milliseconds(1)
        let again = try ask(as: page)
        #expect(try served(2, after: page) == [click, again])
    }

    @Test func `a page's parts that wait for too long are refused, at any turn`() throws {
        for _ in 0..<3 { _ = try ask(as: page) }
        bench.pass(.seconds(10))
        let late = try ask(as: visitor)
        bench.pass(.seconds(20))
        #expect(bench.recorder.takeTraffic().compactMap(\.refusal?.reason).count == 3)
        #expect(try served(1, after: page) == [late])
    }

    @Test func `a thousand requests may wait by default, for a process and for any`() throws {
        for _ in 0..<1_000 { _ = try ask(as: page) }
        #expect(try bench.acquire(as: page).refusal?.reason == .processQueueFull)
        for _ in 0..<1_000 { _ = try bench.acquire().ticket() }
        #expect(bench.acquire().refusal?.reason == .queueFull)
    }
}
