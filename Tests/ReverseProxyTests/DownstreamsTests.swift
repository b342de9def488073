internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct DownstreamsTests {
    private static func enter(_ fixture: LoopFixture, _ socket: StreamSocket) throws -> Int {
        fixture.shared.connectionOpened(worker: 0)
        return try #require(fixture.downstreams.enter(socket, address: nil, from: 0))
    }

    /// Puts `count` bytes, all alike, behind what the client has not taken.
    private static func say(_ byte: UInt8, _ count: Int, to entry: Int, _ fixture: LoopFixture) {
        fixture.buffers.equip(&fixture.downstreams[entry].output)
        let bytes = [UInt8](repeating: byte, count: count)
        let isAdded = fixture.downstreams[entry].output.append(bytes.span)
        #expect(isAdded)
    }

    @Test func `what is ready is sent, and then holds no memory`() throws {
        let fixture = try LoopFixture()
        let (ours, theirs) = try fixture.pair()
        let entry = try Self.enter(fixture, ours)
        Self.say(1, 5, to: entry, fixture)
        #expect(fixture.downstreams.flush(entry) == .done)
        #expect(fixture.read(theirs) == [1, 1, 1, 1, 1])
        #expect(fixture.buffers.blocksInUse == 0)
        fixture.downstreams.close(entry, abortively: false)
        theirs.close()
    }

    @Test func `what a slow client does not take is kept and sent in its order`() throws {
        let fixture = try LoopFixture()
        let (ours, theirs) = try fixture.pair()
        let entry = try Self.enter(fixture, ours)
        var said: [UInt8] = []
        var byte: UInt8 = 0
        while !fixture.downstreams[entry].wantsWrite {
            byte &+= 1
            Self.say(byte, 16_000, to: entry, fixture)
            said += [UInt8](repeating: byte, count: 16_000)
            _ = fixture.downstreams.sendOrStore(entry, room: 16_000)
        }
        #expect(
            fixture.downstreams[entry].deadline != .max, "a client that does not read has a time")
        byte &+= 1
        Self.say(byte, 16_000, to: entry, fixture)
        said += [UInt8](repeating: byte, count: 16_000)
        #expect(fixture.downstreams.sendOrStore(entry, room: 16_000) == .room)
        #expect(!fixture.downstreams[entry].backlog.isEmpty)
        var taken: [UInt8] = []
        while taken.count < said.count {
            let piece = fixture.read(theirs)
            try #require(!piece.isEmpty)
            taken += piece
            _ = fixture.downstreams.flush(entry)
        }
        #expect(taken == said)
        #expect(!fixture.downstreams[entry].wantsWrite)
        #expect(fixture.buffers.blocksInUse == 0)
        fixture.downstreams.close(entry, abortively: false)
        theirs.close()
    }

    @Test func `a client in a tunnel is not given up for not reading`() throws {
        let fixture = try LoopFixture()
        let (ours, theirs) = try fixture.pair()
        let entry = try Self.enter(fixture, ours)
        fixture.downstreams[entry].timesWrites = false
        while !fixture.downstreams[entry].wantsWrite {
            Self.say(1, 16_000, to: entry, fixture)
            _ = fixture.downstreams.flush(entry)
        }
        #expect(fixture.downstreams[entry].deadline == .max)
        fixture.downstreams.close(entry, abortively: false)
        theirs.close()
    }

    @Test func `a connection that ends gives back all that it holds and is counted out`() throws {
        let fixture = try LoopFixture()
        let (ours, theirs) = try fixture.pair()
        let entry = try Self.enter(fixture, ours)
        Self.say(1, 16_000, to: entry, fixture)
        fixture.buffers.equip(&fixture.downstreams[entry].input)
        let output = fixture.buffers.append(
            &fixture.downstreams[entry].output, to: &fixture.downstreams[entry].backlog)
        #expect(output)
        #expect(fixture.shared.shares[0].counters[.connections] == 1)
        fixture.downstreams.close(entry, abortively: false)
        #expect(!fixture.downstreams.isTaken(entry))
        #expect(fixture.buffers.blocksInUse == 0)
        #expect(fixture.buffers.linksInUse == 0)
        #expect(fixture.deadlines.next == nil)
        #expect(fixture.shared.shares[0].counters[.connections] == 0)
        theirs.close()
    }
}
