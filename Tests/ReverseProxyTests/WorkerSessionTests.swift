internal import Backends
internal import Testing

@testable internal import ReverseProxy

/// Where requests go, with a cookie and without, and what their responses say of that.
@Suite struct WorkerSessionTests {
    private static func get(_ cookie: String? = nil) -> String {
        "GET /a HTTP/1.1\r\nHost: a\r\n" + (cookie.map { "Cookie: \($0)\r\n" } ?? "") + "\r\n"
    }

    private static func answer(_ field: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(field)Content-Length: 2\r\n\r\nok"
    }

    /// `mooring=…`, as a response sets it.
    private static func cookie(in response: String) -> String? {
        guard let start = response.firstRange(of: "Set-Cookie: ") else { return nil }
        return String(response[start.upperBound...].prefix { $0 != ";" })
    }

    /// A request whose process answers; which one that was, what it got and what the client got.
    private static func visit(
        _ fixture: WorkerFixture, _ cookie: String? = nil, answering answer: String = answer()
    ) throws -> (server: Int, request: String, response: String) {
        let client = try fixture.send(get(cookie))
        for server in 0..<2 {
            guard let process = fixture.acceptIfAny(at: server) else { continue }
            let request = process.hear()
            process.say(answer)
            process.finish()
            fixture.run()
            return (server, request, client.hear())
        }
        Issue.record("the request has reached no process: \(client.hear())")
        return (-1, "", "")
    }

    @Test func `visitors are spread over the servers, and stay where they are`() throws {
        let fixture = try WorkerFixture(servers: 2)
        let first = try Self.visit(fixture)
        let second = try Self.visit(fixture)
        #expect(first.server != second.server)
        let cookie = try #require(Self.cookie(in: first.response))
        for _ in 0..<3 {
            let again = try Self.visit(fixture, cookie)
            #expect(again.server == first.server)
            #expect(Self.cookie(in: again.response) == nil, "it is young enough to be kept")
            #expect(!again.request.contains("mooring="), "a process does not see the cookie")
        }
    }

    @Test func `a cookie that was not made here begins a new session`() throws {
        let fixture = try WorkerFixture(servers: 2)
        let visit = try Self.visit(fixture, "mooring=" + String(repeating: "A", count: 56))
        #expect(visit.response.hasPrefix("HTTP/1.1 200 "))
        #expect(Self.cookie(in: visit.response) != nil)
    }

    @Test func `a server that takes no connection is passed over for another`() throws {
        for down in 0..<2 {
            let fixture = try WorkerFixture(servers: 2)
            fixture.stopListening(down)
            for _ in 0..<2 {
                let client = try fixture.send(Self.get())
                let process = try #require(fixture.acceptIfAny(at: 1 - down))
                _ = process.hear()
                process.say(Self.answer())
                process.finish()
                fixture.run()
                #expect(client.hear().hasSuffix("ok"))
            }
        }
    }

    @Test func `a process that releases a session has its client forget the cookie`() throws {
        let fixture = try WorkerFixture(servers: 2)
        let cookie = try #require(Self.cookie(in: try Self.visit(fixture).response))
        let visit = try Self.visit(
            fixture, cookie, answering: Self.answer("Mooring-Pin: release\r\n"))
        #expect(!visit.response.contains("Mooring-Pin"))
        #expect(visit.response.contains("Set-Cookie: mooring=;"))
    }

    @Test func `a process learns which session asks, and from where`() throws {
        let fixture = try WorkerFixture(servers: 2)
        let first = try Self.visit(fixture)
        let cookie = try #require(Self.cookie(in: first.response))
        let second = try Self.visit(fixture, cookie)
        let third = try Self.visit(fixture)
        let told = [first, second, third].map { Self.session(in: $0.request) }
        #expect(told[0] != nil)
        #expect(told[0] == told[1])
        #expect(told[0] != told[2])
        #expect(first.request.contains("192.0.2.1"))
    }

    /// The session's id, as its process gets it.
    private static func session(in request: String) -> Substring? {
        guard let start = request.firstRange(of: "Mooring-Session: ") else { return nil }
        return request[start.upperBound...].prefix { $0.isHexDigit || $0 == "-" || $0 == "_" }
    }

    @Test func `a client that has signed in on a connection has it for itself`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 4 })
        let (client, process) = try fixture.begin(Self.get())
        process.say(
            "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n")
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 401 "))
        // Another's request goes over a connection of its own, though one is idle.
        let other = try fixture.connect()
        other.say(Self.get())
        fixture.run()
        let others = try fixture.accept()
        #expect(others.hear().hasPrefix("GET /a "))
        #expect(process.hear().isEmpty)
        client.say(Self.get(Self.cookie(in: response)))
        fixture.run()
        #expect(process.hear().hasPrefix("GET /a "))
        #expect(fixture.isLeftAlone)
        // What was kept for it ends with it.
        process.say(Self.answer())
        fixture.run()
        client.close()
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded)
    }
}
