internal import Testing

@testable internal import ReverseProxy

@Suite struct DeadlinesTests {
    private static let second: Int64 = 1_000_000_000

    private static func fired(_ deadlines: Deadlines, at now: Int64) -> [Deadlines.Owner] {
        var owners: [Deadlines.Owner] = []
        deadlines.fire(now: now) { owners.append($0) }
        return owners
    }

    @Test func `a client and a process of the same index have deadlines of their own`() {
        let deadlines = Deadlines(clients: 4, processes: 4, now: 0)
        deadlines.schedule(client: 3, at: Self.second)
        deadlines.schedule(process: 3, at: 2 * Self.second)
        #expect(Self.fired(deadlines, at: Self.second + Self.second / 2) == [.client(3)])
        #expect(Self.fired(deadlines, at: 3 * Self.second) == [.process(3)])
        #expect(deadlines.next == nil)
    }

    @Test func `what is cancelled does not fire`() {
        let deadlines = Deadlines(clients: 4, processes: 4, now: 0)
        deadlines.schedule(client: 0, at: Self.second)
        deadlines.schedule(process: 0, at: Self.second)
        deadlines.cancel(process: 0)
        #expect(Self.fired(deadlines, at: 2 * Self.second) == [.client(0)])
    }

    @Test func `who has fired may be put back at once`() {
        let deadlines = Deadlines(clients: 1, processes: 1, now: 0)
        deadlines.schedule(client: 0, at: Self.second)
        deadlines.fire(now: 2 * Self.second) { _ in
            deadlines.schedule(client: 0, at: 3 * Self.second)
        }
        #expect(Self.fired(deadlines, at: 4 * Self.second) == [.client(0)])
    }
}
