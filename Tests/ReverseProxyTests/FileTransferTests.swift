internal import Glibc
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import ReverseProxy

/// Files through one loop, to clients that take them slowly or not at all.
@Suite struct FileTransferTests {
    private static let size = 1024 * 1024
    private let folder = TemporaryFolder()
    private let content: [UInt8]

    init() {
        content = (0..<Self.size).map { UInt8(ascii: "0") + UInt8($0 / 1000 % 10) }
        _ = folder.file("big.txt", String(decoding: content, as: UTF8.self))
        _ = folder.file("small.txt", "small")
    }

    private func fixture(descriptors: Int = 100) throws -> WorkerFixture {
        let served = try ServedFolder(folder.path)
        return try WorkerFixture { settings in
            settings.routes = RouteTable([
                Route(prefix: "/", group: 0), Route(prefix: "/s", group: -1),
            ])
            var route = RouteSettings(
                group: -1, strippedPrefix: "/s",
                affinity: AffinitySettings(cookie: CookieAttributes(name: "mooring")))
            route.files = FileRouteSettings(served, path: folder.path)
            settings.routeSettings.append(route)
            settings.upstreams = descriptors
        }
    }

    private func ask(_ fixture: WorkerFixture, _ name: String) throws -> Peer {
        let client = try fixture.connect()
        client.say("GET /s/\(name) HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        return client
    }

    /// Everything that comes while the client reads, without the head.
    private func body(_ client: Peer, _ fixture: WorkerFixture, after first: [UInt8] = [])
        -> [UInt8]
    {
        var heard = first
        while true {
            let piece = client.hearBytes()
            if piece.isEmpty { break }
            heard += piece
            fixture.run()
        }
        let end = Array("\r\n\r\n".utf8)
        let head = heard.indices.first { heard[$0...].starts(with: end) }
        return head.map { Array(heard[($0 + 4)...]) } ?? []
    }

    @Test func `a slow client holds a descriptor and the head of its request`() throws {
        let fixture = try fixture()
        let client = try ask(fixture, "big.txt")
        #expect(fixture.owners.transfers.count == 1)
        #expect(fixture.owners.counters[.filesOpen] == 1)
        #expect(fixture.owners.buffers.blocksInUse == 1)
        #expect(body(client, fixture) == content)
        #expect(fixture.owners.transfers.count == 0)
        #expect(fixture.owners.counters[.filesOpen] == 0)
        #expect(fixture.owners.buffers.blocksInUse == 0)
        #expect(!client.hasEnded)
    }

    @Test func `what a client has not taken of a copied block is read again`() throws {
        let fixture = try fixture()
        let client = try ask(fixture, "big.txt")
        fixture.owners.transfers[0].copies = true
        let first = client.hearBytes()
        fixture.run()
        #expect(fixture.owners.transfers.count == 1)
        #expect(fixture.owners.buffers.blocksInUse == 1)
        #expect(body(client, fixture, after: first) == content)
        #expect(fixture.owners.buffers.blocksInUse == 0)
    }

    @Test func `without a descriptor to spare a file that fits into a block is still sent`() throws
    {
        let fixture = try fixture(descriptors: 0)
        let client = try ask(fixture, "big.txt")
        let refusal = client.hear()
        #expect(refusal.hasPrefix("HTTP/1.1 503 "))
        #expect(refusal.contains("\r\nRetry-After: 1\r\n"))
        #expect(body(try ask(fixture, "small.txt"), fixture) == Array("small".utf8))
        #expect(fixture.owners.transfers.count == 0)
    }

    @Test func `a client that leaves closes the file`() throws {
        let fixture = try fixture()
        let client = try ask(fixture, "big.txt")
        #expect(fixture.owners.transfers.count == 1)
        client.close()
        fixture.run()
        #expect(fixture.owners.transfers.count == 0)
        #expect(fixture.owners.exchanges.slab.count == 0)
    }

    @Test func `a file that becomes shorter ends the connection`() throws {
        let fixture = try fixture()
        let client = try ask(fixture, "big.txt")
        // By whole pages, as the socket still has the rest of a page that is cut.
        #expect(unsafe truncate("\(folder.path)/big.txt", 0) == 0)
        let heard = body(client, fixture)
        #expect(content.starts(with: heard) && heard.count < Self.size)
        #expect(client.hasEnded)
        #expect(fixture.owners.transfers.count == 0)
    }
}
