internal import Backends
internal import Reactor
internal import Testing

@testable internal import ReverseProxy

@Suite struct UpstreamsTests {
    private static let process = ProcessHandle(index: 0, serial: 1)

    /// A connection that has just carried a response, and its other end.
    private static func busy(_ fixture: LoopFixture) throws -> (entry: Int, StreamSocket) {
        let (ours, theirs) = try fixture.pair()
        if !fixture.upstreams.pools.contains(process, group: 0) {
            let address = try SocketAddress.unix("/x")
            _ = fixture.upstreams.pools.establish(process, group: 0, address: address, label: "p")
        }
        #expect(fixture.shared.takeUpstream(limit: 8))
        var connection = Upstream(
            .clear(ours), .http1, group: 0, process: process, phase: .connecting, exchange: 3)
        connection.move(to: .busy)
        let entry = fixture.upstreams.slab.insert(connection)
        return (try #require(entry), theirs)
    }

    private static func kept(_ fixture: LoopFixture) -> KeptConnections {
        KeptConnections(fixture.owners)
    }

    private static func taken(
        _ fixture: LoopFixture, of client: Int, isReplayable: Bool = true
    ) -> Int? {
        kept(fixture).take(
            to: process, group: 0, for: 4, of: client, isReplayable: isReplayable)
    }

    @Test func `a connection of the pool serves the next request`() throws {
        let fixture = try LoopFixture()
        let (entry, theirs) = try Self.busy(fixture)
        Self.kept(fixture).pool(entry, keptFor: 0, awaitsSilence: false)
        #expect(fixture.upstreams[entry].exchange == -1)
        #expect(Self.taken(fixture, of: 1) == entry)
        #expect(fixture.upstreams[entry].exchange == 4)
        #expect(fixture.upstreams[entry].reused)
        #expect(Self.taken(fixture, of: 1) == nil)
        fixture.upstreams.closeAll()
        theirs.close()
    }

    @Test func `after a response without a body a connection has to be silent for a while`() throws
    {
        let fixture = try LoopFixture()
        let (entry, theirs) = try Self.busy(fixture)
        Self.kept(fixture).pool(entry, keptFor: 0, awaitsSilence: true)
        #expect(Self.taken(fixture, of: 1) == nil)
        #expect(!fixture.upstreams.isTaken(entry))
        theirs.close()
    }

    @Test func `a request that cannot be repeated is not sent where bytes or an end wait`() throws {
        let fixture = try LoopFixture()
        let (entry, theirs) = try Self.busy(fixture)
        Self.kept(fixture).pool(entry, keptFor: 0, awaitsSilence: false)
        theirs.close()
        #expect(Self.taken(fixture, of: 1, isReplayable: false) == nil)
        #expect(!fixture.upstreams.isTaken(entry))
    }

    @Test func `a connection that is kept for a client serves no other`() throws {
        let fixture = try LoopFixture()
        let (first, oneEnd) = try Self.busy(fixture)
        let (second, otherEnd) = try Self.busy(fixture)
        Self.kept(fixture).keep(first, for: 1, nil)
        Self.kept(fixture).keep(second, for: 1, nil)
        #expect(Self.taken(fixture, of: 2) == nil)
        #expect(fixture.upstreams.firstOwn(of: 1) == second)
        #expect(fixture.upstreams.nextOwn(after: second) == first)
        #expect(Self.taken(fixture, of: 1) == second)
        #expect(fixture.upstreams.firstOwn(of: 1) == first)
        fixture.upstreams.closeAll()
        #expect(fixture.upstreams.firstOwn(of: 1) == nil)
        oneEnd.close()
        otherEnd.close()
    }

    @Test func `a client that leaves takes what was kept for it along`() throws {
        let fixture = try LoopFixture()
        let (first, oneEnd) = try Self.busy(fixture)
        let (second, otherEnd) = try Self.busy(fixture)
        Self.kept(fixture).keep(first, for: 1, nil)
        Self.kept(fixture).keep(second, for: 2, nil)
        Self.kept(fixture).closeOwn(of: 1)
        #expect(!fixture.upstreams.isTaken(first))
        #expect(fixture.upstreams.isTaken(second))
        Self.kept(fixture).closeOwn(of: 2)
        #expect(fixture.upstreams.takenEntries().isEmpty)
        #expect(fixture.deadlines.next == nil)
        oneEnd.close()
        otherEnd.close()
    }

    @Test func `the descriptor of a connection that is closed can be had again`() throws {
        let fixture = try LoopFixture()
        let (entry, theirs) = try Self.busy(fixture)
        #expect(!fixture.shared.takeUpstream(limit: 1))
        fixture.upstreams.close(entry)
        #expect(fixture.shared.takeUpstream(limit: 1))
        theirs.close()
    }
}
