internal import Settings
internal import Testing

@testable internal import Backends
@testable internal import Supervision

@Suite struct ServerWatchesTests {
    private func server(_ port: UInt16, path: String = "/up") -> CheckedServer {
        var health = HealthPolicy(path: path)
        health.interval = .seconds(10)
        health.rise = 1
        return CheckedServer(
            process: ProcessHandle(index: UInt32(port), serial: 1),
            address: .tcp(host: "127.0.0.1", port: port), health: health)
    }

    @Test func `servers that stay are asked on and others come and go`() {
        var watches = ServerWatches()
        watches.set([(0, server(81)), (1, server(82))], now: 0)
        let first = Set(watches.ids)
        #expect(first.count == 2)
        #expect(watches.nextDeadline == 0)
        watches.set([(1, server(82)), (0, server(83))], now: 5)
        let second = Set(watches.ids)
        #expect(second.count == 2)
        let kept = first.intersection(second)
        #expect(kept.compactMap { watches[$0]?.server } == [server(82)])
        // No token of one that is gone is ever another's.
        #expect(second.subtracting(kept).allSatisfy { $0 > first.max() ?? 0 })
        watches.leave()
        #expect(watches.ids.isEmpty)
        #expect(watches.nextDeadline == nil)
    }

    @Test func `another health check of a server starts from scratch`() {
        var watches = ServerWatches()
        watches.set([(0, server(81))], now: 0)
        let first = watches.ids
        watches.set([(0, server(81, path: "/other"))], now: 0)
        #expect(watches.ids.count == 1)
        #expect(watches.ids != first)
    }
}
