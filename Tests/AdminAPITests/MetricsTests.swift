internal import Backends
internal import HTTPTypes
internal import HummingbirdTesting
internal import Testing

@testable internal import AdminAPI

@Suite struct MetricsTests {
    @Test func `the content type is that of the Prometheus text format`() async throws {
        try await request(makeServer(), "/metrics") { response in
            #expect(
                response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    @Test func `every sample stands below the help and type of its metric`() {
        var described: String?
        var seen: Set<String> = []
        let usage: [Int32: UsageSnapshot] = [4711: UsageSnapshot(cpuSeconds: 1, residentBytes: 2)]
        for line in metricsPage(makeSnapshot(usage: usage)).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix("# HELP") {
                #expect(seen.insert(words[2]).inserted, "\(words[2]) is described twice")
                described = words[2]
            } else if line.hasPrefix("# TYPE") {
                #expect(words[2] == described)
            } else {
                let name = words[0].prefix { $0 != "{" }
                #expect(name == described ?? "" || name == "\(described ?? "")_count")
                #expect(Double(words.last ?? "") != nil)
            }
        }
        #expect(seen.count > 30)
    }

    @Test func `counters end in total and nothing else does`() {
        for line in metricsPage(makeSnapshot()).split(separator: "\n")
        where line.hasPrefix("# TYPE") {
            let words = line.split(separator: " ")
            #expect(words[2].hasSuffix("_total") == (words[3] == "counter"), "\(line)")
        }
    }

    @Test func `groups and processes are labels`() {
        let text = metricsPage(makeSnapshot())
        #expect(text.contains(#"mooring_group_sessions_live{group="django"} 41"#))
        #expect(text.contains(#"mooring_group_processes{group="django",state="ready"} 1"#))
        #expect(text.contains(#"mooring_group_state{group="django",state="ok"} 1"#))
        #expect(
            text.contains(
                #"mooring_process_requests_total{group="django",process="k3f9"} 1300"#))
        #expect(!text.contains("mooring_process_resident_memory_bytes{"))
    }

    @Test func `label values cannot break out of their quotes`() {
        var out = PrometheusText()
        out.sample("m", 1, ["l": "a\"b\\c\nd"])
        #expect(out.text == "m{l=\"a\\\"b\\\\c\\nd\"} 1\n")
    }
}
