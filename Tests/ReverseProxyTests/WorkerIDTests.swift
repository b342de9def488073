internal import Backends
internal import Routing
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// Sessions by ids of the application in the request's target.
@Suite struct WorkerIDTests {
    private static func fixture(
        _ carrier: SessionCarrier, policy: (inout GroupPolicy) -> Void = { _ in }
    ) throws -> WorkerFixture {
        try WorkerFixture(
            servers: 2,
            {
                $0.routeSettings[0].affinity.carrier = carrier
                $0.routeSettings[0].affinity.pin = .app
            }, policy: policy)
    }

    /// The server that was asked, and what it got; -1: none was.
    private static func visit(
        _ fixture: WorkerFixture, _ target: String, _ status: Int = 200, _ fields: String = "",
        _ body: String = "ok"
    ) throws -> (server: Int, request: String, response: String) {
        let client = try fixture.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        for server in 0..<2 {
            guard let process = fixture.acceptIfAny(at: server) else { continue }
            let request = process.hear()
            process.say(
                "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            process.finish()
            fixture.run()
            return (server, request, client.hear())
        }
        return (-1, "", client.hear())
    }

    private static func handshake(_ id: String) -> String {
        "0{\"sid\":\"\(id)\",\"upgrades\":[\"websocket\"]}"
    }

    @Test func `the process that announces an id in a body gets its requests`() throws {
        let fixture = try Self.fixture(.query("sid"))
        var issued: [(String, Int)] = []
        for id in ["one", "two", "three", "four"] {
            let visit = try Self.visit(fixture, "/s?EIO=4", 200, "", Self.handshake(id))
            #expect(!visit.response.contains("Set-Cookie"))
            #expect(visit.response.hasSuffix(Self.handshake(id)))
            issued.append((id, visit.server))
        }
        #expect(Set(issued.map(\.1)).count == 2)
        for (id, server) in issued + issued {
            let visit = try Self.visit(fixture, "/s?EIO=4&sid=\(id)")
            #expect(visit.server == server)
            #expect(visit.request.contains("Mooring-Affinity: kept"))
        }
        #expect(fixture.snapshot.sessionsCreatedTotal == 4)
    }

    @Test func `a body of a request with an id announces none`() throws {
        let fixture = try Self.fixture(.query("sid"))
        _ = try Self.visit(fixture, "/s", 200, "", Self.handshake("one"))
        _ = try Self.visit(fixture, "/s?sid=one", 200, "", "40{\"sid\":\"inner\"}")
        #expect(fixture.snapshot.sessionsCreatedTotal == 1)
    }

    @Test func `nor does the body of an error`() throws {
        let fixture = try Self.fixture(.query("sid"))
        _ = try Self.visit(fixture, "/s", 400, "", Self.handshake("one"))
        #expect(fixture.snapshot.sessionsCreatedTotal == 0)
    }

    @Test func `an unknown id is learned where it is accepted, and nowhere else`() throws {
        let fixture = try Self.fixture(.query("sid"))
        let refused = try Self.visit(fixture, "/s?sid=lost", 400)
        #expect(fixture.snapshot.sessionsCreatedTotal == 0)
        let accepted = try Self.visit(fixture, "/s?sid=lost", 200)
        #expect(accepted.server != refused.server)
        for _ in 0..<3 {
            #expect(try Self.visit(fixture, "/s?sid=lost").server == accepted.server)
        }
    }

    @Test(arguments: ["/session/abc/?x", "http://a/session/abc/", "//a/session/%61bc"])
    func `a redirect tells the id in a path`(location: String) throws {
        let fixture = try Self.fixture(.path(2))
        _ = try Self.visit(fixture, "/other")
        let first = try Self.visit(fixture, "/new", 302, "Location: \(location)\r\n")
        for target in ["/session/abc/", "/session/abc/x?y", "/session//abc", "/x/../session/abc"] {
            #expect(try Self.visit(fixture, target).server == first.server)
        }
    }

    @Test func `a process that issues a second id keeps both sessions`() throws {
        let fixture = try Self.fixture(.path(2))
        let first = try Self.visit(fixture, "/new", 302, "Location: /session/one/\r\n")
        _ = try Self.visit(fixture, "/session/one/copy", 303, "Location: /session/two/\r\n")
        for target in ["/session/one/", "/session/two/", "/session/two/", "/session/one/"] {
            #expect(try Self.visit(fixture, target).server == first.server)
        }
    }

    @Test func `a redirect to another route of the group tells that route's id`() throws {
        let fixture = try WorkerFixture(servers: 2) {
            $0.routeSettings[0].affinity.pin = .never
            $0.routeSettings.append($0.routeSettings[0])
            $0.routeSettings[1].affinity.pin = .app
            $0.routeSettings[1].affinity.carrier = .path(2)
            $0.routes = RouteTable([
                Route(prefix: "/", group: 0, affinity: 0),
                Route(prefix: "/session", group: 0, affinity: 1),
            ])
        }
        let first = try Self.visit(fixture, "/new", 302, "Location: /session/abc/\r\n")
        for _ in 0..<3 {
            #expect(try Self.visit(fixture, "/session/abc/x").server == first.server)
        }
        _ = try Self.visit(fixture, "/new", 302, "Location: /elsewhere/abc/\r\n")
        #expect(fixture.snapshot.sessionsCreatedTotal == 1)
    }

    @Test func `a lost id that its new process refuses is over`() throws {
        let fixture = try Self.fixture(.query("sid"))
        let first = try Self.visit(fixture, "/s", 200, "", Self.handshake("one"))
        fixture.stopListening(first.server)
        let lost = try Self.visit(fixture, "/s?sid=one", 400)
        #expect(lost.server == 1 - first.server)
        #expect(lost.request.contains("Mooring-Affinity: lost"))
        #expect(fixture.snapshot.sessionsLive == 0)
    }

    @Test func `a lost id that Mooring refuses gets 404 once`() throws {
        let fixture = try Self.fixture(.query("sid"), policy: { $0.onLost = .refuse })
        let first = try Self.visit(fixture, "/s", 200, "", Self.handshake("one"))
        fixture.stopListening(first.server)
        var response = ""
        for _ in 0..<3 where !response.hasPrefix("HTTP/1.1 404 ") {
            response = try Self.visit(fixture, "/s?sid=one").response
        }
        #expect(response.contains("the session has ended"))
        #expect(try Self.visit(fixture, "/s?sid=one", 400).server == 1 - first.server)
    }
}
