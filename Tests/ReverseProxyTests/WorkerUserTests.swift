internal import Backends
internal import HTTPWire
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// One session for each user whom a trusted proxy names.
@Suite struct WorkerUserTests {
    private static func fixture(
        trusts: Bool = true, _ affinity: (inout AffinitySettings) -> Void = { _ in }
    ) throws -> WorkerFixture {
        let trusted = try TrustedNetworks(parsing: trusts ? ["192.0.2.0/24"] : [])
        return try WorkerFixture(servers: 2) {
            $0.listeners[0]?.trusted = trusted
            $0.routeSettings[0].affinity.userField = "X-Auth-User"
            affinity(&$0.routeSettings[0].affinity)
        }
    }

    struct Visit {
        var server: Int
        var request: String
        var response: String

        var session: String? {
            request.firstMatch(of: #/Mooring-Session: (\w+)/#).map { String($0.output.1) }
        }
        var cookie: String? {
            response.firstMatch(of: #/Set-Cookie: (mooring=[\w\-]+)/#).map { String($0.output.1) }
        }
    }

    private static func visit(
        _ fixture: WorkerFixture, _ fields: String..., answering answer: String = ""
    ) throws -> Visit {
        let lines = fields.map { $0 + "\r\n" }.joined()
        let client = try fixture.send("GET /a HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        for server in 0..<2 {
            guard let process = fixture.acceptIfAny(at: server) else { continue }
            let request = process.hear()
            process.say("HTTP/1.1 200 OK\r\n\(answer)Content-Length: 2\r\n\r\nok")
            process.finish()
            fixture.run()
            return Visit(server: server, request: request, response: client.hear())
        }
        Issue.record("no process was asked: \(client.hear())")
        return Visit(server: -1, request: "", response: "")
    }

    @Test func `a user has one session, whatever the browser`() throws {
        let fixture = try Self.fixture()
        let ann = try Self.visit(fixture, "X-Auth-User: ann")
        let bob = try Self.visit(fixture, "X-Auth-User: bob")
        #expect(ann.server != bob.server && ann.session != bob.session)
        for _ in 0..<3 {
            let again = try Self.visit(fixture, "X-Auth-User: ann")
            #expect(again.server == ann.server && again.session == ann.session)
            #expect(again.request.contains("Mooring-Affinity: kept"))
            #expect(again.request.contains("X-Auth-User: ann"))
        }
        #expect(fixture.snapshot.sessionsCreatedTotal == 2)
    }

    @Test func `the cookie of another user leads nowhere`() throws {
        let fixture = try Self.fixture()
        let ann = try Self.visit(fixture, "X-Auth-User: ann")
        let cookie = try #require(ann.cookie)
        let bob = try Self.visit(fixture, "X-Auth-User: bob", "Cookie: \(cookie)")
        #expect(bob.session != ann.session && bob.cookie != nil)
        // Nor does it when nobody is named any more.
        let nobody = try Self.visit(fixture, "Cookie: \(cookie)")
        #expect(nobody.session != nil && nobody.session != ann.session)
        #expect(nobody.cookie != nil && nobody.cookie != cookie)
        // With the user's own cookie, none is set anew.
        #expect(try Self.visit(fixture, "X-Auth-User: ann", "Cookie: \(cookie)").cookie == nil)
    }

    @Test func `a visitor without a name goes by the cookie`() throws {
        let fixture = try Self.fixture()
        let first = try Self.visit(fixture)
        let cookie = try #require(first.cookie)
        let again = try Self.visit(fixture, "Cookie: \(cookie)")
        #expect(again.session == first.session && again.server == first.server)
    }

    @Test func `a sender who is not trusted names nobody`() throws {
        let fixture = try Self.fixture(trusts: false)
        let first = try Self.visit(fixture, "X-Auth-User: ann", "x_auth_user: ann")
        let second = try Self.visit(fixture, "X-Auth-User: ann")
        #expect(first.session != second.session && first.server != second.server)
        for visit in [first, second] { #expect(!visit.request.lowercased().contains("ann")) }
    }

    @Test(arguments: ["X-Auth-User:", "X_Auth_User: ann", "X-Auth-User: ann\r\nx-auth-user: bob"])
    func `a field that is empty, an imitation or there twice names nobody`(field: String) throws {
        let fixture = try Self.fixture()
        let first = try Self.visit(fixture, field)
        let second = try Self.visit(fixture, field)
        #expect(first.session != second.session)
        for visit in [first, second] { #expect(!visit.request.contains("ann")) }
    }

    @Test func `with an application that pins, the user's session begins when it does`() throws {
        let fixture = try Self.fixture { $0.pin = .app }
        #expect(try Self.visit(fixture, "X-Auth-User: ann").session == nil)
        let pinned = try Self.visit(
            fixture, "X-Auth-User: ann", answering: "Mooring-Pin: pin\r\n")
        for _ in 0..<2 {
            let again = try Self.visit(fixture, "X-Auth-User: ann")
            #expect(again.server == pinned.server && again.session != nil)
        }
    }

    @Test func `a session that was released begins anew`() throws {
        let fixture = try Self.fixture()
        let first = try Self.visit(fixture, "X-Auth-User: ann")
        _ = try Self.visit(fixture, "X-Auth-User: ann", answering: "Mooring-Pin: release\r\n")
        let again = try Self.visit(fixture, "X-Auth-User: ann")
        #expect(again.session == first.session)
        #expect(again.request.contains("Mooring-Affinity: new"))
    }
}
