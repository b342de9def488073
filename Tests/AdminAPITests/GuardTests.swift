internal import Backends
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import Testing

@testable internal import AdminAPI

@Suite struct GuardTests {
    private let secret = "0123456789abcdef0123456789abcdef"

    @Test(arguments: ["localhost", "LOCALHOST:9000", "127.0.0.1:1", "[::1]:9000", "10.0.0.5:9000"])
    func `this machine's own hosts are answered`(host: String) {
        #expect(HostPolicy(address: .tcp(host: "10.0.0.5", port: 9000), node: "n").allows(host))
    }

    @Test(arguments: [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9000", "10.0.0.6",
        "[::1", "localhost:x", "localhost:123456", "", "[::1].evil", "[]",
    ])
    func `other hosts are not`(host: String) {
        #expect(!HostPolicy(address: .tcp(host: "10.0.0.5", port: 9000), node: "n").allows(host))
    }

    @Test func `a request without a host is not answered over TCP`() {
        #expect(!HostPolicy(address: .tcp(host: "127.0.0.1", port: 1), node: "n").allows(nil))
    }

    @Test func `bound to every address, numbers and the host's name are answered`() {
        let policy = HostPolicy(address: .tcp(host: "0.0.0.0", port: 9000), node: "Host-1")
        #expect(policy.allows("192.168.1.4:9000"))
        #expect(policy.allows("[fe80::1]:9000"))
        #expect(policy.allows("host-1:9000"))
        #expect(!policy.allows("evil.example:9000"))
        #expect(!policy.allows("192.168.1.4.evil.example"))
    }

    @Test func `a unix socket takes any host`() {
        #expect(HostPolicy(address: .unix(path: "/s"), node: "n").allows("anything"))
        #expect(HostPolicy(address: .unix(path: "/s"), node: "n").allows(nil))
    }

    @Test(arguments: ["http://evil.example", "null", "https://localhost", "http://localhost:1"])
    func `a page of another origin is refused`(origin: String) async throws {
        try await request(makeServer(), "/stats", headers: [.origin: origin]) { response in
            #expect(response.status == .forbidden)
            #expect(!String(buffer: response.body).contains("django"))
        }
    }

    @Test(arguments: ["cross-site", "same-site", "Cross-Site", "new-word"])
    func `a browser's request from another site is refused`(site: String) async throws {
        for path in ["/stats", "/healthz", "/"] {
            let headers: HTTPFields = [.secFetchSite: site]
            try await request(makeServer(), path, headers: headers) { response in
                #expect(response.status == .forbidden)
            }
        }
    }

    @Test(arguments: ["same-origin", "none"])
    func `a browser's request from the own page or by hand is answered`(site: String) async throws {
        let headers: HTTPFields = [.secFetchSite: site]
        try await request(makeServer(), "/stats", headers: headers) { response in
            #expect(response.status == .ok)
        }
    }

    @Test func `the own origin is answered`() async throws {
        let headers: HTTPFields = [.origin: "http://localhost"]
        try await request(makeServer(), "/stats", headers: headers) { response in
            #expect(response.status == .ok)
        }
    }

    @Test(arguments: ["/stats", "/", "/metrics", "/stats/django", "/nothing"])
    func `with a token nothing is answered without it`(path: String) async throws {
        let server = makeServer(token: try AdminToken(secret))
        try await request(server, path) { response in
            #expect(response.status == .unauthorized)
            #expect(response.headers[.wwwAuthenticate] == #"Bearer realm="mooring""#)
        }
    }

    @Test(arguments: ["/healthz", "/readyz"])
    func `health is open to orchestrators`(path: String) async throws {
        try await request(makeServer(token: try AdminToken(secret)), path) { response in
            #expect(response.status == .ok)
        }
    }

    @Test func `the token opens`() async throws {
        let server = makeServer(token: try AdminToken(secret))
        for scheme in ["Bearer", "bearer"] {
            let headers: HTTPFields = [.authorization: "\(scheme) \(secret)"]
            try await request(server, "/stats", headers: headers) { response in
                #expect(response.status == .ok)
            }
        }
    }

    @Test func `nothing but the token opens`() async throws {
        let server = makeServer(token: try AdminToken(secret))
        let wrong = [
            "Bearer ", "Bearer", "Bearer \(secret)x", "Bearer \(secret.dropLast())",
            "Bearer x\(secret.dropFirst())", "Basic \(secret)", secret, "",
            "Bearer \(secret)\(secret)",
        ]
        for field in wrong {
            try await request(server, "/stats", headers: [.authorization: field]) { response in
                #expect(response.status == .unauthorized, "\(field)")
            }
        }
    }

    @Test func `a token differing in length by a multiple of 256 does not open`() throws {
        let token = try AdminToken(secret)
        let long = secret + String(repeating: "a", count: 256)
        #expect(!token.isCarried(by: "Bearer \(long)"))
        let longer = secret + String(repeating: "a", count: 65_536)
        #expect(!token.isCarried(by: "Bearer \(longer)"))
    }

    @Test func `a big body is refused before it is read`() async throws {
        let big = ByteBuffer(repeating: 0, count: 70_000)
        try await request(makeServer(), "/stats", method: .post, body: big) { response in
            #expect(response.status == .contentTooLarge)
        }
        let unknown: HTTPFields = [.transferEncoding: "chunked"]
        try await request(makeServer(), "/stats", headers: unknown) { response in
            #expect(response.status == .lengthRequired)
        }
    }

    @Test(arguments: ["/", "/stats", "/stats/django", "/metrics", "/healthz", "/readyz", "/none"])
    func `no answer holds the token`(path: String) async throws {
        let server = makeServer(token: try AdminToken(secret))
        for headers: HTTPFields in [[:], [.authorization: "Bearer \(secret)"]] {
            try await request(server, path, headers: headers) { response in
                #expect(!String(buffer: response.body).contains(secret))
                #expect(!"\(response.headers)".contains(secret))
            }
        }
    }
}
