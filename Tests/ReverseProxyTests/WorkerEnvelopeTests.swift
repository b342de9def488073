internal import Backends
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// A session in a field of the application: where its requests go, and what both sides see of it.
@Suite struct WorkerEnvelopeTests {
    private static let id = "0c7e~41"

    private static func fixture(
        _ name: String = "Mcp-Session-Id", servers: Int = 2,
        policy: (inout GroupPolicy) -> Void = { _ in }
    ) throws -> WorkerFixture {
        try WorkerFixture(
            servers: servers,
            {
                $0.routeSettings[0].affinity.carrier = .header(name)
                $0.routeSettings[0].affinity.pin = .app
            }, policy: policy)
    }

    private static func answer(_ status: Int = 200, _ field: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(field)Content-Length: 2\r\n\r\nok"
    }

    private static func sets(_ value: String = id) -> String {
        answer(200, "mcp-session-id: \(value)\r\n")
    }

    private static func value(in head: String) -> String? {
        guard let start = head.lowercased().firstRange(of: "\r\nmcp-session-id: ") else {
            return nil
        }
        return head[start.upperBound...].split(separator: "\r\n").first.map(String.init)
    }

    struct Visit {
        var server: Int
        var request: String
        var response: String
        /// As the process sees it.
        var sent: String? { WorkerEnvelopeTests.value(in: request) }
        var given: String? { WorkerEnvelopeTests.value(in: response) }
    }

    private static func visit(
        _ fixture: WorkerFixture, _ value: String? = nil, method: String = "GET",
        answering answer: String = answer()
    ) throws -> Visit {
        let field = value.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
        let client = try fixture.send("\(method) /mcp HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
        for server in 0..<2 {
            guard let process = fixture.acceptIfAny(at: server) else { continue }
            let request = process.hear()
            process.say(answer)
            process.finish()
            fixture.run()
            return Visit(server: server, request: request, response: client.hear())
        }
        return Visit(server: -1, request: "", response: client.hear())
    }

    @Test func `a session begins with the response that sets the field, and stays there`() throws {
        let fixture = try Self.fixture()
        var sessions: [(Int, String)] = []
        for _ in 0..<2 {
            let first = try Self.visit(fixture, answering: Self.sets())
            let given = try #require(first.given)
            #expect(given.hasPrefix("\(Self.id)~") && given.utf8.count == Self.id.count + 57)
            #expect(first.response.contains("Cache-Control: private\r\n"))
            sessions.append((first.server, given))
        }
        #expect(sessions[0].0 != sessions[1].0)
        for (server, value) in sessions + sessions {
            let again = try Self.visit(fixture, value, answering: Self.sets())
            #expect(again.server == server)
            #expect(again.sent == Self.id)
            #expect(again.request.contains("Mooring-Affinity: kept"))
            #expect(again.given == value, "clients keep the value that they got first")
            #expect(!again.response.contains("Set-Cookie"))
        }
    }

    @Test func `a response without the field begins no session and sets no cookie`() throws {
        let fixture = try Self.fixture()
        for answer in [Self.answer(), Self.answer(200, "Mooring-Pin: pin\r\n")] {
            let visit = try Self.visit(fixture, answering: answer)
            #expect(!visit.response.contains("Set-Cookie") && visit.given == nil)
            #expect(!visit.response.contains("Mooring"))
        }
        #expect(fixture.snapshot.sessionsCreatedTotal == 0)
    }

    @Test func `what is no id of visible characters passes as it is`() throws {
        let fixture = try Self.fixture()
        for value in ["a b", String(repeating: "x", count: 1025), "\u{e4}"] {
            let visit = try Self.visit(fixture, answering: Self.sets(value))
            #expect(visit.given == value)
        }
        let several = "Mcp-Session-Id: a\r\nMcp-Session-Id: b\r\n"
        let visit = try Self.visit(fixture, answering: Self.answer(200, several))
        #expect(visit.response.contains(several))
        #expect(fixture.snapshot.sessionsCreatedTotal == 0)
    }

    @Test func `a value without a token is the application's alone`() throws {
        let fixture = try Self.fixture()
        let visit = try Self.visit(fixture, "direct")
        #expect(visit.sent == "direct")
        #expect(!visit.request.contains("Mooring-Session"))
    }

    @Test func `a forged token is taken off, and the process answers by its own rules`() throws {
        let fixture = try Self.fixture()
        let given = try #require(try Self.visit(fixture, answering: Self.sets()).given)
        let last: Character = given.last == "A" ? "B" : "A"
        let visit = try Self.visit(
            fixture, String(given.dropLast()) + String(last), answering: Self.answer(404))
        #expect(visit.sent == Self.id)
        #expect(visit.response.hasPrefix("HTTP/1.1 404 "))
        #expect(!visit.request.contains("Mooring-Affinity: kept"))
    }

    @Test func `a token of the cookie or of another field is none of this one`() throws {
        let fixture = try Self.fixture()
        let other = try Self.fixture("X-Sid")
        let client = try other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let process = try #require(other.acceptIfAny(at: 0))
        _ = process.hear()
        process.say(Self.answer(200, "X-Sid: a\r\n"))
        other.run()
        let line = try #require(client.hear().firstMatch(of: #/X-Sid: a~([\w\-]{56})/#))
        let visit = try Self.visit(fixture, "\(Self.id)~\(line.output.1)")
        #expect(visit.sent == Self.id)
        #expect(!visit.request.contains("Mooring-Affinity: kept"))
    }

    @Test(arguments: [("Mcp-Session-Id", 0), ("X-Sid", 1)])
    func `a DELETE that succeeds ends a session of MCP only`(name: String, left: Int) throws {
        let fixture = try Self.fixture(name, servers: 1)
        func ask(_ method: String, _ value: String?, _ answer: String) throws -> String {
            let field = value.map { "\(name): \($0)\r\n" } ?? ""
            let client = try fixture.send("\(method) / HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
            let process = try fixture.accept()
            _ = process.hear()
            process.say(answer)
            process.finish()
            fixture.run()
            return client.hear()
        }
        let first = try ask("POST", nil, Self.answer(200, "\(name): a\r\n"))
        let line = try #require(first.firstMatch(of: #/: (a~[\w\-]{56})/#))
        let value = String(line.output.1)
        _ = try ask("DELETE", value, Self.answer(405))
        #expect(fixture.snapshot.sessionsLive == 1)
        _ = try ask("DELETE", value, Self.answer(200))
        #expect(fixture.snapshot.sessionsLive == left)
    }

    @Test func `a lost session that its new process does not know is over`() throws {
        let fixture = try Self.fixture()
        let first = try Self.visit(fixture, answering: Self.sets())
        let value = try #require(first.given)
        fixture.stopListening(first.server)
        let lost = try Self.visit(fixture, value, answering: Self.answer(404))
        #expect(lost.server == 1 - first.server)
        #expect(lost.sent == Self.id && lost.request.contains("Mooring-Affinity: lost"))
        #expect(fixture.snapshot.sessionsLive == 0)
    }

    @Test func `a lost session that its new process takes has the token of that process`() throws {
        let fixture = try Self.fixture()
        let first = try Self.visit(fixture, answering: Self.sets())
        let value = try #require(first.given)
        fixture.stopListening(first.server)
        let moved = try Self.visit(fixture, value, answering: Self.sets())
        let given = try #require(moved.given)
        #expect(given != value && given.hasPrefix("\(Self.id)~"))
        #expect(fixture.snapshot.sessionsLive == 1)
        #expect(try Self.visit(fixture, value).server == moved.server)
        #expect(try Self.visit(fixture, given).server == moved.server)
    }

    @Test func `a lost session that is refused gets 404, by which clients begin anew`() throws {
        let fixture = try Self.fixture(policy: { $0.onLost = .refuse })
        let first = try Self.visit(fixture, answering: Self.sets())
        fixture.stopListening(first.server)
        var response = ""
        for _ in 0..<3 where !response.hasPrefix("HTTP/1.1 404 ") {
            response = try Self.visit(fixture, first.given).response
        }
        #expect(response.hasPrefix("HTTP/1.1 404 "))
        #expect(response.contains("the session has ended") && !response.contains("Set-Cookie"))
    }

    @Test func `a session that the application releases ends, with the field as it is`() throws {
        let fixture = try Self.fixture()
        let value = try Self.visit(fixture, answering: Self.sets()).given
        let last = try Self.visit(
            fixture, value,
            answering: Self.answer(200, "mcp-session-id: x\r\nMooring-Pin: release\r\n"))
        #expect(last.given == "x")
        #expect(!last.response.contains("Set-Cookie"))
        #expect(fixture.snapshot.sessionsLive == 0)
    }
}
