internal import Testing

@testable internal import ReverseProxy

/// A client may leave at any time, and whatever was held for it is given back once.
@Suite struct ClientLeavesTests {
    /// How far a request has come when its client leaves.
    enum Stage: CaseIterable {
        case halfHead, halfBodyBefore, queued, halfBodyAfter, awaitingAnswer, interim
        case halfAnswer, notReading, tunnel, wholeAnswer, sentAhead
    }

    private static let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "

    private struct Situation {
        var client: Peer
        /// Which has the request; nil: none has.
        var process: Peer?
        /// Another client, which has the only slot.
        var holder: Peer?
    }

    /// A client that has come to a stage.
    private static func reach(_ stage: Stage, _ fixture: WorkerFixture) throws -> Situation {
        switch stage {
        case .halfHead: return Situation(client: try said("GET / HTTP/1.1\r\nHo", fixture))
        case .halfBodyBefore: return Situation(client: try said(post + "4\r\n\r\nab", fixture))
        case .queued:
            let (holder, process) = try fixture.begin()
            let client = try said(WorkerFixture.get, fixture)
            return Situation(client: client, process: process, holder: holder)
        case .halfBodyAfter:
            let client = try said(post + "1000000\r\n\r\n", fixture)
            #expect(client.say(200_000, of: UInt8(ascii: "x")) > 0)
            fixture.run()
            return Situation(client: client, process: try fixture.accept())
        case .awaitingAnswer:
            let (client, process) = try fixture.begin()
            return Situation(client: client, process: process)
        case .interim: return try answered("HTTP/1.1 103 Early Hints\r\n\r\n", fixture)
        case .halfAnswer:
            return try answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", fixture)
        case .notReading:
            let situation = try answered(
                "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", fixture)
            while situation.process?.say(9_000_000, of: UInt8(ascii: "x")) ?? 0 > 0 {
                fixture.run()
            }
            return situation
        case .tunnel:
            let (client, process) = try fixture.begin(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            process.say("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            fixture.run()
            return Situation(client: client, process: process)
        case .wholeAnswer: return try answered(WorkerFixture.answer, fixture)
        case .sentAhead:
            let (client, process) = try fixture.begin(WorkerFixture.get + WorkerFixture.get)
            return Situation(client: client, process: process)
        }
    }

    private static func said(_ text: String, _ fixture: WorkerFixture) throws -> Peer {
        let client = try fixture.send(text)
        return client
    }

    private static func answered(_ text: String, _ fixture: WorkerFixture) throws -> Situation {
        let (client, process) = try fixture.begin()
        process.say(text)
        fixture.run()
        return Situation(client: client, process: process)
    }

    /// Takes a client away at a stage, and ends what its process has still to do.
    private static func leave(at stage: Stage, _ fixture: WorkerFixture) throws {
        let situation = try reach(stage, fixture)
        situation.client.close()
        fixture.run()
        situation.holder?.close()
        fixture.run()
        situation.process?.close()
        fixture.run()
    }

    @Test(arguments: Stage.allCases)
    func `nothing is kept for a client that has left`(stage: Stage) throws {
        let fixture = try WorkerFixture()
        try Self.leave(at: stage, fixture)
        #expect(fixture.leftovers == [])
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
        #expect(fixture.owners.deadlines.next == nil, "no deadline outlives its connection")
    }

    @Test(arguments: Stage.allCases)
    func `the only slot is free for one other client when one has left`(stage: Stage) throws {
        let fixture = try WorkerFixture()
        try Self.leave(at: stage, fixture)
        let (other, next) = try fixture.begin()
        #expect(fixture.slotsTaken == 1)
        let third = try Self.said(WorkerFixture.get, fixture)
        #expect(fixture.isLeftAlone, "a slot that came back twice would let it in")
        #expect(fixture.queued == 1)
        third.close()
        next.say(WorkerFixture.answer)
        fixture.run()
        #expect(other.hear().hasSuffix("ok"))
        #expect(fixture.leftovers == [])
    }
}
