internal import Backends
internal import Settings
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ReverseProxy

/// What becomes of the response of a FastCGI process, whatever it says.
@Suite struct FastCGIResponseTests {
    private static let head = FastCGI.output("Content-Type: a/b\r\n\r\n")

    /// A client, and the process that has its request.
    private func begin(
        _ fixture: WorkerFixture, _ request: String = WorkerFixture.get
    ) throws -> (client: Peer, process: Peer) {
        let client = try fixture.connect()
        client.say(request)
        fixture.run()
        let process = try fixture.accept()
        #expect(FastCGIRequest(process.hearBytes()).isWhole)
        return (client, process)
    }

    @Test func `a response comes in records, and its connection is used again`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(FastCGI.output("Status: 201 Made\r\nContent-Length: 5\r\n\r\nhel", padding: 3))
        fixture.run()
        process.say(FastCGI.output("lo") + FastCGI.record(6) + FastCGI.end(application: 7))
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 201 Made\r\n") && response.hasSuffix("\r\n\r\nhello"))
        client.say(WorkerFixture.get)
        fixture.run()
        #expect(FastCGIRequest(process.hearBytes()).isWhole, "on the same connection")
        process.say(Self.head + FastCGI.output("again") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("5\r\nagain\r\n0\r\n\r\n"))
        #expect(fixture.isLeftAlone)
    }

    @Test func `however the bytes come, they say the same`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        let head = FastCGI.output("Content-Length: 3\r\n\r\n")
        let said = head + FastCGI.errors("note") + FastCGI.output("abc", padding: 2)
        for byte in said + FastCGI.end(padding: 5) {
            process.say([byte])
            fixture.run()
        }
        #expect(client.hear().hasSuffix("\r\n\r\nabc"))
        #expect(!process.hasEnded)
    }

    @Test func `a response to HEAD has no body, whatever the process sends`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")
        process.say(FastCGI.output("Content-Length: 5\r\n\r\nstray") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("\r\n\r\n"))
        client.say(WorkerFixture.get)
        fixture.run()
        #expect(FastCGIRequest(process.hearBytes()).isWhole)
    }

    /// Each is said where a head is awaited.
    static let refused: [(String, [UInt8], Int)] = [
        ("another request's records", FastCGI.record(6, Array("X: y\n\nforged".utf8), id: 2), 502),
        ("another version", FastCGI.record(6, [65], version: 9), 502),
        ("no records", Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8), 502),
        ("an unknown kind", FastCGI.record(77), 502),
        ("a head that is none", FastCGI.output("no colon\n\n"), 502),
        ("an end without a head", FastCGI.end(), 502),
        ("an end in the head", FastCGI.output("Status: 200") + FastCGI.end(), 502),
        ("an endless head", FastCGI.output("X: " + String(repeating: "x", count: 40_000)), 502),
        ("no room", FastCGI.end(status: 2), 503),
        ("no such role", FastCGI.end(status: 3), 502),
        ("no second request", FastCGI.end(status: 1), 502),
    ]

    @Test(arguments: refused) func `a bad response is refused, and its connection dropped`(
        _ name: String, _ said: [UInt8], _ status: Int
    ) throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(said)
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 \(status) "), "\(name)")
        #expect(!response.contains("forged"))
        _ = process.hear()
        #expect(process.hasEnded, "\(name)")
        if status == 503 { #expect(response.contains("\r\nRetry-After: ")) }
    }

    /// Each is said in the middle of a body.
    static let broken: [(String, [UInt8])] = [
        ("another request's records", FastCGI.record(6, Array("forged".utf8), id: 2)),
        ("a bad record", FastCGI.record(1)), ("an end that is refused", FastCGI.end(status: 1)),
    ]

    @Test(arguments: broken) func `a response that goes bad never looks whole`(
        _ name: String, _ said: [UInt8]
    ) throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(Self.head + FastCGI.output("begun") + said + FastCGI.output("more"))
        fixture.run()
        let response = client.hear()
        #expect(response.hasSuffix("5\r\nbegun\r\n"), "\(name)")
        #expect(client.hasEnded)
    }

    @Test func `nor does one that is cut off, or shorter than it said`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(Self.head + FastCGI.output("begun"))
        fixture.run()
        process.close()
        fixture.run()
        #expect(client.hear().hasSuffix("5\r\nbegun\r\n") && client.hasEnded)
        let (other, second) = try begin(fixture)
        second.say(FastCGI.output("Content-Length: 9\r\n\r\nshort") + FastCGI.end())
        fixture.run()
        #expect(other.hear().hasSuffix("\r\n\r\nshort") && other.hasEnded)
    }

    @Test func `what is beyond the length is nobody's`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(
            FastCGI.output("Content-Length: 2\r\n\r\nokHTTP/1.1 200 forged") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("\r\n\r\nok"))
        #expect(!client.hasEnded)
    }

    @Test func `what follows the end reaches nobody, and ends the trust in the process`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(
            FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end()
                + FastCGI.output("X: y\n\nforged") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("\r\n\r\nok"))
        client.say(WorkerFixture.get)
        fixture.run()
        let fresh = try fixture.accept()
        fresh.say(FastCGI.output("X: y\n\n2nd") + FastCGI.end())
        fixture.run()
        let response = client.hear()
        #expect(response.contains("2nd") && !response.contains("forged"))
    }

    @Test func `a kept connection that speaks unasked is dropped`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        _ = client.hear()
        process.say(FastCGI.output("Content-Length: 6\r\n\r\nforged") + FastCGI.end())
        fixture.run()
        client.say(WorkerFixture.get)
        fixture.run()
        let fresh = try fixture.accept()
        fresh.say(FastCGI.output("X: y\n\n2nd") + FastCGI.end())
        fixture.run()
        #expect(!client.hear().contains("forged"))
    }

    @Test func `what an application says on stderr is no part of its response`() throws {
        let heard = Mutex<[String]>([])
        let fixture = try WorkerFixture.fastCGI(onErrors: { text in
            heard.withLock { $0.append(String(decoding: text.bytes, as: UTF8.self)) }
        })
        let (client, process) = try begin(fixture)
        let note = FastCGI.errors("PHP Warning: x\nline two")
        process.say(Array(note.prefix(20)))
        fixture.run()
        process.say(Array(note.dropFirst(20)) + Self.head + FastCGI.output("ok") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("2\r\nok\r\n0\r\n\r\n"))
        #expect(heard.withLock { $0 } == ["PHP Warning: x\nline two"])
    }

    @Test func `a connection is not kept while others wait for the process`() throws {
        let fixture = try WorkerFixture.fastCGI(policy: { $0.threads = 2 })
        let (one, forOne) = try begin(fixture)
        let (other, forOther) = try begin(fixture)
        forOne.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        #expect(one.hear().hasSuffix("ok"))
        _ = forOne.hear()
        #expect(forOne.hasEnded, "it may be the worker that the other waits for")
        forOther.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        _ = forOther.hear()
        #expect(other.hear().hasSuffix("ok") && !forOther.hasEnded)
    }

    @Test func `another loop's idle connection is given up where it is asked to`() throws {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        _ = process.hear()
        #expect(client.hear().hasSuffix("ok") && !process.hasEnded)
        let handle = try #require(
            fixture.owners.upstreams.takenEntries().first.map {
                fixture.owners.upstreams[$0].process
            })
        fixture.letGo(of: handle)
        _ = process.hear()
        #expect(process.hasEnded)
    }

    @Test func `a request whose client has left is aborted, and keeps its slot until the end`()
        throws
    {
        let fixture = try WorkerFixture.fastCGI(policy: { $0.threads = 1 })
        let (client, process) = try begin(fixture)
        client.close()
        fixture.run()
        #expect(FastCGIRequest(process.hearBytes()).isAborted)
        #expect(fixture.slotsTaken == 1)
        process.say(FastCGI.output("X: y\n\nlate") + FastCGI.end())
        fixture.run()
        #expect(fixture.slotsTaken == 0)
    }

    @Test func `a request that can be repeated is, when a kept connection turns out to be closed`()
        throws
    {
        let fixture = try WorkerFixture.fastCGI()
        let (client, process) = try begin(fixture)
        process.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        _ = client.hear()
        process.close()
        client.say(WorkerFixture.get)
        fixture.run()
        let fresh = try fixture.accept()
        #expect(FastCGIRequest(fresh.hearBytes()).isWhole)
        fresh.say(FastCGI.output("Content-Length: 3\r\n\r\n2nd") + FastCGI.end())
        fixture.run()
        #expect(client.hear().hasSuffix("2nd"))
    }

    @Test func `a process is asked not to keep what its group does not keep`() throws {
        let fixture = try WorkerFixture.fastCGI(.init(), { $0.groups[0].keepalive = false })
        let client = try fixture.connect()
        client.say(WorkerFixture.get)
        fixture.run()
        let process = try fixture.accept()
        #expect(!FastCGIRequest(process.hearBytes()).keepsConnection)
        process.say(FastCGI.output("Content-Length: 2\r\n\r\nok") + FastCGI.end())
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded && client.hear().hasSuffix("ok"))
    }
}
