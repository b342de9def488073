internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import Testing

@testable internal import AdminAPI

@Suite struct AccessTests {
    private let secret = "0123456789abcdef0123456789abcdef"
    private let reading = "fedcba9876543210fedcba9876543210"

    private func server(metricsAreOpen: Bool = false) throws -> AdminServer {
        makeServer(
            token: try AdminToken(secret), readToken: try AdminToken(reading),
            metricsAreOpen: metricsAreOpen)
    }

    private func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer \(token)"] }

    @Test(arguments: ["/", "/stats", "/stats/django", "/metrics"])
    func `the reading token opens what is only read`(path: String) async throws {
        for method in [HTTPRequest.Method.get, .head] {
            try await request(server(), path, method: method, headers: bearer(reading)) {
                #expect($0.status == .ok)
            }
        }
    }

    @Test(arguments: [
        "/groups/django/restart", "/groups/django/scale", "/groups/django/reset",
        "/processes/k3f9/drain", "/processes/k3f9/stop", "/reload",
    ])
    func `the reading token changes nothing`(path: String) async throws {
        let controls = RecordedControls()
        let server = makeServer(
            token: try AdminToken(secret), controls: controls, readToken: try AdminToken(reading))
        var headers = bearer(reading)
        headers[.contentType] = "application/json"
        try await request(server, path, method: .post, headers: headers) {
            #expect($0.status == .forbidden)
        }
        #expect(controls.commands.isEmpty)
    }

    @Test func `open metrics need no token, and everything else does`() async throws {
        let server = try server(metricsAreOpen: true)
        try await request(server, "/metrics") { #expect($0.status == .ok) }
        for path in ["/stats", "/", "/metrics/x", "/stats/metrics"] {
            try await request(server, path) { #expect($0.status == .unauthorized, "\(path)") }
        }
        try await request(server, "/metrics", headers: bearer("wrong")) {
            #expect($0.status == .ok)
        }
    }

    @Test func `metrics are not open by themselves`() async throws {
        try await request(server(), "/metrics") { #expect($0.status == .unauthorized) }
    }

    @Test func `metrics for everybody are still none for pages of other sites`() async throws {
        let server = try server(metricsAreOpen: true)
        for headers: HTTPFields in [
            [.origin: "http://evil.example"], [.secFetchSite: "cross-site"],
        ] {
            try await request(server, "/metrics", headers: headers) {
                #expect($0.status == .forbidden)
            }
        }
    }

    @Test func `tokens are replaced while the server runs`() throws {
        let access = AdminAccess(.init(token: try AdminToken(secret)))
        #expect(access.right(of: ["Bearer \(secret)"]) == .everything)
        access.replace(with: .init(token: try AdminToken(reading)))
        #expect(access.right(of: ["Bearer \(secret)"]) == .nothing)
        #expect(access.right(of: ["Bearer \(reading)"]) == .everything)
        #expect(access.right(of: ["Bearer \(reading)", "Bearer \(reading)"]) == .nothing)
        #expect(access.right(of: []) == .nothing)
    }
}
