internal import Backends
internal import Reactor
internal import Testing

@testable internal import ReverseProxy

/// A process whose backlog is full is tried again, within bounds.
@Suite struct FullBacklogTests {
    private static let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

    /// A client whose request waits for room in the backlog of its process.
    private final class Waiting {
        let fixture: WorkerFixture
        let client: Peer
        /// The connections that fill the backlog.
        var others: [StreamSocket] = []

        init() throws {
            var path = ""
            fixture = try WorkerFixture(policy: { policy in
                guard case .external(let servers) = policy.kind,
                    case .unix(let entry) = servers[0].address
                else { return }
                path = entry
            })
            let address = try SocketAddress.unix(path)
            while let connection = try? address.connect() { others.append(connection.socket) }
            client = try fixture.connect()
            client.say(FullBacklogTests.request)
            fixture.run()
        }

        deinit { for socket in others { socket.close() } }

        /// The index of the connection to make; nil: none.
        var postponed: Int? {
            fixture.owners.upstreams.takenEntries().first {
                fixture.owners.upstreams[$0].phase == .postponed
            }
        }

        /// The process takes the connections that have filled its backlog.
        func takeOthers() throws {
            for _ in others { #expect(try fixture.accept().hear().isEmpty) }
        }
    }

    @Test func `a request waits without a socket, and with its slot`() throws {
        let waiting = try Waiting()
        let entry = try #require(waiting.postponed)
        let fixture = waiting.fixture
        #expect(fixture.owners.upstreams[entry].transport == nil)
        #expect(fixture.owners.upstreams[entry].deadline < .max)
        #expect(fixture.owners.shared.takeUpstream(limit: 1), "no descriptor is counted for it")
        fixture.owners.shared.giveUpstream()
        #expect(fixture.slotsTaken == 1)
        #expect(waiting.client.hear().isEmpty)
    }

    @Test func `it is sent once when there is room`() throws {
        let waiting = try Waiting()
        let first = try #require(waiting.postponed)
        waiting.fixture.expire(process: first)
        let second = try #require(waiting.postponed, "there is none yet")
        try waiting.takeOthers()
        #expect(waiting.fixture.isLeftAlone)
        waiting.fixture.expire(process: second)
        #expect(try waiting.fixture.accept().hear().hasSuffix("\r\n\r\nhi"))
        #expect(waiting.fixture.isLeftAlone)
    }

    @Test func `a client that leaves meanwhile is not connected any more`() throws {
        let waiting = try Waiting()
        waiting.client.close()
        waiting.fixture.run()
        #expect(waiting.postponed == nil)
        #expect(waiting.fixture.leftovers == [])
        #expect(waiting.fixture.owners.deadlines.next == nil)
        try waiting.takeOthers()
        #expect(waiting.fixture.isLeftAlone)
    }

    @Test func `a process that has gone meanwhile is not waited for`() throws {
        let waiting = try Waiting()
        let entry = try #require(waiting.postponed)
        waiting.fixture.stopListening()
        waiting.fixture.expire(process: entry)
        #expect(waiting.client.hear().hasPrefix("HTTP/1.1 50"))
        #expect(waiting.fixture.leftovers == [])
    }
}
