internal import Backends
internal import HTTPTypes
internal import HummingbirdTesting
internal import NIOCore
internal import Testing

@testable internal import AdminAPI

@Suite struct ReadinessTests {
    @Test func `a program whose groups have ready processes is ready`() async throws {
        #expect(try await body(makeServer(), "/readyz") == #"{"status":"ready"}"#)
    }

    @Test func `a group below its minimum of one is a reason not to be ready`() async throws {
        let group = makeGroup(state: .starting, processes: [makeProcess(state: .starting)])
        try await request(makeServer(snapshot: makeSnapshot(groups: [group]))) { text in
            #expect(text.contains(#""reasons":["group django: no process is ready yet"]"#))
        }
    }

    @Test func `a failing group is a reason not to be ready`() async throws {
        let group = makeGroup(state: .failing, processes: [])
        try await request(makeServer(snapshot: makeSnapshot(groups: [group]))) { text in
            #expect(text.contains("group django: its processes do not start"))
        }
    }

    @Test(arguments: [
        (GroupSnapshot.Obstacle.coldStart, "not all of its first processes are ready yet"),
        (.queue, "2 requests wait for a process"), (.slots, "its processes have no free slot"),
        (.sessionPlaces, "its processes have no free session place"), (.stopped, "stopped"),
    ])
    func `a group that would not place a session at once is a reason`(
        obstacle: GroupSnapshot.Obstacle, text: String
    ) {
        var group = makeGroup()
        group.obstacle = obstacle
        let report = ReadinessReport(makeSnapshot(groups: [group]))
        #expect(report.reasons == ["group django: \(text)"])
    }

    @Test func `a group that may be empty need not have a process`() {
        let group = makeGroup(minimum: 0, processes: [])
        #expect(ReadinessReport(makeSnapshot(groups: [group])).reasons.isEmpty)
    }

    @Test func `external servers that are all down are a reason not to be ready`() {
        let group = makeGroup(isSpawned: false, minimum: 0, processes: [makeProcess(state: .down)])
        #expect(ReadinessReport(makeSnapshot(groups: [group])).reasons.count == 1)
    }

    @Test func `a program that shuts down is not ready but healthy`() async throws {
        let server = makeServer(snapshot: makeSnapshot(draining: true))
        try await request(server) { #expect($0.contains("Mooring is shutting down")) }
        #expect(try await body(server, "/healthz") == #"{"status":"ok"}"#)
    }

    @Test func `a program with a loop that takes no turns is unhealthy, and names it`()
        async throws
    {
        let server = makeServer(stalled: ["supervision has not taken a turn for 9 s"])
        try await AdminAPITests.request(server, "/healthz") { response in
            #expect(response.status == .serviceUnavailable)
            let text = String(buffer: response.body)
            #expect(text.contains(#""reasons":["supervision has not taken a turn for 9 s"]"#))
        }
    }

    /// Asks `/readyz` and expects 503 as a problem document.
    private func request(
        _ server: AdminServer, _ check: @Sendable @escaping (String) -> Void
    ) async throws {
        try await AdminAPITests.request(server, "/readyz") { response in
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers[.contentType] == "application/problem+json")
            check(String(buffer: response.body))
        }
    }
}
