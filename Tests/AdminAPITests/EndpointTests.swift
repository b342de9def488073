internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import Testing

@testable internal import AdminAPI
@testable internal import Backends

@Suite struct EndpointTests {
    @Test func `stats has the documented names and values`() async throws {
        var traffic = TrafficSnapshot()
        traffic[.connections] = 3
        traffic[.accepted] = 120
        traffic[.requests] = 4000
        traffic[.status2xx] = 3990
        traffic[.status5xx] = 10
        traffic.latencyP50 = 0.0004
        traffic[.verdictUnknownKey] = 2
        let usage: [Int32: UsageSnapshot] = [
            4711: UsageSnapshot(cpuSeconds: 1.9, residentBytes: 41_000_000)
        ]
        let server = makeServer(snapshot: makeSnapshot(traffic: traffic, usage: usage))
        let text = try await body(server, "/stats")
        for part in [
            #""version":"0.1.0""#, #""node":"host-1""#, #""started_at":"2026-11-22T10:00:00Z""#,
            #""uptime_seconds":100"#,
            #""connections":{"accepted_total":120,"active":3,"greetings_refused_total":0,"#
                + #""handshakes_failed_total":0,"handshakes_total":0,"tunnels":0,"tunnels_total":0}"#,
            #""streams_total":0"#, #""kept_seconds_left":null"#,
            #""2xx":3990"#, #""5xx":10"#, #""p50":0.0004"#, #""unknown_key":2"#,
            #""kind":"spawned""#, #""min":1"#, #""max":4"#, #""threads":10"#,
            #""oldest_seconds":1.5"#, #""rejected_total":3"#, #""timed_out_total":4"#,
            #""live":41"#, #""created_total":50"#, #""moved_total":5"#, #""lost_total":6"#,
            #""unconfirmed":0"#, #""given_way_total":0"#, #""without_lease_total":0"#,
            #""table_full":false"#,
            #""starting":1"#, #""spawned_total":7"#, #""failures_in_a_row":0"#,
            #""backoff_seconds":0"#, #""last_failure":null"#, #""limit_reached_total":8"#,
            #""id":"k3f9""#, #""pid":4711"#, #""state":"ready""#, #""reason":"min""#,
            #""transient":false"#, #""address":"unix:/run/mooring/k3f9.sock""#,
            #""in_flight":1"#, #""queued":0"#, #""sessions":14"#, #""requests_total":1300"#,
            #""errors_total":2"#, #""started_at":"2026-11-22T10:01:30Z""#,
            #""ready_after_seconds":0.21"#, #""idle_seconds":0"#, #""cpu_seconds":1.9"#,
            #""rss_bytes":41000000"#,
        ] {
            #expect(text.contains(part), "\(part) is missing in \(text)")
        }
    }

    @Test func `stats can be read back into the same document`() async throws {
        let report = ExitReport(reason: "exited with status 3", status: 3, output: ["boom"])
        let failure = GroupSnapshot.Failure(
            at: MonotonicInstant(nanoseconds: 1_000_000_000_000), report: report)
        var traffic = TrafficSnapshot()
        traffic[.requests] = .max
        traffic[.requestNanoseconds] = 1_500_000_000
        traffic.latencyP99 = 2
        let snapshot = makeSnapshot(
            groups: [makeGroup(lastFailure: failure)], traffic: traffic)
        let text = try await body(makeServer(snapshot: snapshot), "/stats")
        let read = try AdminJSON.decode(StatsDocument.self, from: Data(text.utf8))
        #expect(read == StatsDocument(snapshot))
        #expect(read.groups.first?.spawn.lastFailure?.exitStatus == 3)
        #expect(read.groups.first?.spawn.lastFailure?.output == ["boom"])
    }

    @Test func `a number that JSON cannot say does not break stats`() async throws {
        var traffic = TrafficSnapshot()
        traffic.latencyP99 = .infinity
        let server = makeServer(snapshot: makeSnapshot(traffic: traffic))
        #expect(try await body(server, "/stats").contains(#""p99":0"#))
    }

    @Test func `one group has its own address`() async throws {
        let text = try await body(makeServer(), "/stats/django")
        #expect(text.hasPrefix("{") && text.contains(#""name":"django""#))
        #expect(!text.contains(#""groups""#))
    }

    @Test func `an unknown group is a problem document that names those there are`() async throws {
        try await request(makeServer(), "/stats/flask") { response in
            #expect(response.status == .notFound)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(String(buffer: response.body).contains("django"))
            #expect(String(buffer: response.body).contains(#""status":404"#))
        }
    }

    @Test func `an unknown path is a problem document`() async throws {
        try await request(makeServer(), "/nothing") { response in
            #expect(response.status == .notFound)
            #expect(response.headers[.contentType] == "application/problem+json")
        }
    }

    @Test(arguments: ["/stats", "/stats/django", "/healthz", "/"])
    func `a wrong method is answered with the right ones`(path: String) async throws {
        try await request(makeServer(), path, method: .post) { response in
            #expect(response.status == .methodNotAllowed)
            #expect(response.headers[.allow] == "GET, HEAD")
        }
    }

    @Test func `HEAD has the head of GET and no body`() async throws {
        let length = try await body(makeServer(), "/stats").utf8.count
        try await request(makeServer(), "/stats", method: .head) { response in
            #expect(response.status == .ok)
            #expect(response.headers[.contentLength] == "\(length)")
            #expect(response.body.readableBytes == 0)
        }
        try await request(makeServer(), "/nothing", method: .head) { response in
            #expect(response.status == .notFound)
            #expect(response.body.readableBytes == 0)
        }
    }

    @Test func `the index is JSON for programs and a page for browsers`() async throws {
        #expect(try await body(makeServer(), "/").contains(#""path":"/stats""#))
        try await request(makeServer(), "/", headers: [.accept: "text/html,*/*"]) { response in
            #expect(response.headers[.contentType] == "text/html; charset=utf-8")
            #expect(String(buffer: response.body).contains(#"<a href="/metrics">"#))
        }
    }

    @Test(arguments: ["/", "/healthz", "/readyz", "/stats", "/metrics", "/nothing"])
    func `no answer may be cached or sniffed`(path: String) async throws {
        try await request(makeServer(), path) { response in
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(response.headers[.xContentTypeOptions] == "nosniff")
            #expect(response.headers[.accessControlAllowOrigin] == nil)
        }
    }
}

/// Sends one request without a socket.
func request(
    _ server: AdminServer, _ path: String, method: HTTPRequest.Method = .get,
    headers: HTTPFields = [:], body: ByteBuffer? = nil,
    _ check: @Sendable @escaping (TestResponse) throws -> Void
) async throws {
    try await server.application().test(.router) { client in
        try await client.execute(
            uri: path, method: method, headers: headers, body: body, testCallback: check)
    }
}

/// The body of a good answer.
func body(_ server: AdminServer, _ path: String) async throws -> String {
    try await server.application().test(.router) { client in
        try await client.execute(uri: path, method: .get) { response in
            #expect(response.status == .ok)
            return String(buffer: response.body)
        }
    }
}
