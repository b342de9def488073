internal import Backends
internal import Reactor
internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

/// What a successor is given, and what ends where it began.
@Suite struct HandoverTests {
    /// What has been handed over.
    private final class Successor: Sendable {
        private let taken = Mutex<[MovedConnection]>([])

        var connections: [MovedConnection] { taken.withLock { $0 } }
        var texts: [String] { connections.map { String(decoding: $0.unread, as: UTF8.self) } }
        var purpose: DrainPurpose {
            .handOver { connection in self.taken.withLock { $0.append(connection) } }
        }

        func close() { for connection in connections { connection.socket.close() } }
    }

    @Test func `a request that waits for a slot goes over as it came, and leaves the queue`() throws
    {
        let fixture = try WorkerFixture()
        let successor = Successor()
        let (holder, process) = try fixture.begin()
        let waiting = try fixture.send(WorkerFixture.get)
        #expect(fixture.queued == 1)
        fixture.drain(successor.purpose)
        #expect(successor.texts == [WorkerFixture.get])
        #expect(fixture.queued == 0)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(holder.hear().hasSuffix("ok"))
        #expect(process.hear().isEmpty, "no other exchange uses the connection that has moved")
        #expect(!waiting.hasEnded)
        #expect(fixture.leftovers == [])
        successor.close()
    }

    @Test func `a request with a body that waits for a slot is served here`() throws {
        let fixture = try WorkerFixture()
        let successor = Successor()
        let (holder, process) = try fixture.begin()
        let waiting = try fixture.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        fixture.drain(successor.purpose)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(holder.hear().hasSuffix("ok"))
        #expect(process.hear().hasSuffix("\r\n\r\nhi"))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(waiting.hear().hasSuffix("ok"))
        #expect(successor.connections.count == 2, "each goes over behind its response")
        successor.close()
    }

    @Test func `what was sent ahead goes over behind the response`() throws {
        let fixture = try WorkerFixture()
        let successor = Successor()
        let (client, process) = try fixture.begin(WorkerFixture.get + "GET /next HT")
        fixture.drain(successor.purpose)
        #expect(successor.connections.isEmpty)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        #expect(successor.texts == ["GET /next HT"])
        #expect(!client.hasEnded)
        successor.close()
    }

    @Test func `a connection that arrives late goes over untouched`() throws {
        let fixture = try WorkerFixture()
        let successor = Successor()
        fixture.drain(successor.purpose)
        let client = try fixture.send(WorkerFixture.get)
        #expect(successor.connections.map(\.stage) == [.untouched])
        #expect(successor.texts == [""], "its bytes wait in its socket")
        #expect(fixture.owners.shared.shares[0].connections.load(ordering: .relaxed) == 0)
        #expect(!client.hasEnded)
        successor.close()
    }

    @Test func `a client that has finished sending is served and does not go over`() throws {
        let fixture = try WorkerFixture()
        let successor = Successor()
        let (client, process) = try fixture.begin()
        client.finish()
        fixture.run()
        fixture.drain(successor.purpose)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        #expect(client.hasEnded)
        #expect(successor.connections.isEmpty)
    }

    @Test func `what a predecessor has read is served as if it had been read here`() throws {
        let fixture = try WorkerFixture()
        let successor = Successor()
        let client = try fixture.send("GET /a HT")
        fixture.drain(successor.purpose)
        let moved = try #require(successor.connections.first)
        let next = try WorkerFixture()
        next.owners.shared.connectionOpened(worker: 0)
        next.owners.shared.shares[0].mailbox.post(.moved(moved, 0))
        next.run()
        client.say("TP/1.1\r\nHost: a\r\n\r\n")
        next.run()
        let process = try next.accept()
        #expect(process.hear().hasPrefix("GET /a HTTP/1.1\r\n"))
        process.say(WorkerFixture.answer)
        next.run()
        #expect(client.hear().hasSuffix("ok"))
    }

    @Test func `a drain without a successor closes idle connections instead of moving them`() throws
    {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        fixture.drain(.leave)
        _ = client.hear()
        #expect(client.hasEnded)
        let late = try fixture.send(WorkerFixture.get)
        let process = try fixture.accept()
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(late.hear().lowercased().contains("connection: close"))
    }
}
