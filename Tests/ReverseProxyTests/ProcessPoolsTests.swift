internal import Backends
internal import Reactor
internal import Testing

@testable internal import ReverseProxy

@Suite struct ProcessPoolsTests {
    private let process = ProcessHandle(index: 2, serial: 1)

    @Test func `the connection put back last is taken first`() throws {
        var pools = ProcessPools(groups: 1)
        var upstreams = Slab<Upstream>(capacity: 4)
        _ = try pools.establish(process, group: 0, address: .unix("/x"), label: "p")
        let first = connection(in: &upstreams, to: process)
        let second = connection(in: &upstreams, to: process)
        put(first, in: upstreams, &pools)
        put(second, in: upstreams, &pools)
        let taken = [
            pools.take(process, group: 0, from: upstreams),
            pools.take(process, group: 0, from: upstreams),
            pools.take(process, group: 0, from: upstreams),
        ]
        #expect(taken == [second, first, nil])
    }

    @Test func `a closed connection leaves the middle of the list`() throws {
        var pools = ProcessPools(groups: 1)
        var upstreams = Slab<Upstream>(capacity: 4)
        _ = try pools.establish(process, group: 0, address: .unix("/x"), label: "p")
        let places = (0..<3).map { _ in connection(in: &upstreams, to: process) }
        for entry in places { put(entry, in: upstreams, &pools) }
        pools.unlink(places[1], in: upstreams)
        let taken = [
            pools.take(process, group: 0, from: upstreams),
            pools.take(process, group: 0, from: upstreams),
            pools.take(process, group: 0, from: upstreams),
        ]
        #expect(taken == [places[2], places[0], nil])
    }

    @Test func `a connection to a former tenant of the entry is not handed out`() throws {
        var pools = ProcessPools(groups: 1)
        var upstreams = Slab<Upstream>(capacity: 4)
        _ = try pools.establish(process, group: 0, address: .unix("/x"), label: "p")
        let old = connection(in: &upstreams, to: process)
        put(old, in: upstreams, &pools)
        let successor = ProcessHandle(index: 2, serial: 3)
        let orphan = try pools.establish(successor, group: 0, address: .unix("/y"), label: "q")
        #expect(Int(orphan) == old)
        let taken = pools.take(successor, group: 0, from: upstreams)
        #expect(taken == nil)
        let putBack = pools.put(old, in: upstreams)
        #expect(!putBack)
    }

    @Test
    func `no connection of a process that is not trusted is kept, and its successor is trusted`()
        throws
    {
        var pools = ProcessPools(groups: 1)
        var upstreams = Slab<Upstream>(capacity: 4)
        _ = try pools.establish(process, group: 0, address: .unix("/x"), label: "p")
        let entry = connection(in: &upstreams, to: process)
        let isNews = pools.distrust(process, group: 0)
        let isNewsAgain = pools.distrust(process, group: 0)
        #expect(isNews && !isNewsAgain)
        let isKept = pools.put(entry, in: upstreams)
        #expect(!isKept)
        let successor = ProcessHandle(index: 2, serial: 3)
        _ = try pools.establish(successor, group: 0, address: .unix("/y"), label: "q")
        put(connection(in: &upstreams, to: successor), in: upstreams, &pools)
    }

    @Test
    func `the shortest idle time after which a process closes counts, but not a close at once`()
        throws
    {
        var pools = ProcessPools(groups: 1)
        _ = try pools.establish(process, group: 0, address: .unix("/x"), label: "p")
        for span: Int64 in [5_000_000_000, 2_000_000_000, 3_000_000_000, 1_000_000] {
            pools.noteEnd(afterIdle: span, of: process, group: 0)
        }
        #expect(pools.habits(of: process, group: 0)?.shortestIdle == 2_000_000_000)
    }

    private func put(
        _ entry: Int, in upstreams: borrowing Slab<Upstream>, _ pools: inout ProcessPools
    ) {
        let isKept = pools.put(entry, in: upstreams)
        #expect(isKept)
    }

    private func connection(in upstreams: inout Slab<Upstream>, to process: ProcessHandle) -> Int {
        let upstream = Upstream(
            nil, .http1, group: 0, process: process, phase: .idle, exchange: -1)
        guard let entry = upstreams.insert(upstream) else {
            Issue.record("the slab has room")
            return 0
        }
        return entry
    }
}
