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
                let whole = described ?? ""
                let parts = ["", "_count", "_sum", "_bucket"].map { whole + $0 }
                #expect(parts.contains(String(name)))
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

    @Test func `a histogram's buckets hold all that is faster, and end with the count`() {
        var snapshot = makeSnapshot()
        var traffic = GroupTraffic()
        traffic.requestsByStatusClass = [0, 5, 0, 0, 1]
        traffic.durations.counts = [1, 0, 2] + [UInt64](repeating: 0, count: 12) + [3]
        traffic.durations.nanoseconds = 200_500_000_000
        snapshot.groupTraffic = ["django": traffic]
        let text = metricsPage(snapshot)
        let name = "mooring_group_request_duration_seconds"
        for line in [
            "# TYPE \(name) histogram",
            #"\#(name)_bucket{group="django",le="0.001"} 1"#,
            #"\#(name)_bucket{group="django",le="0.005"} 3"#,
            #"\#(name)_bucket{group="django",le="60.0"} 3"#,
            #"\#(name)_bucket{group="django",le="+Inf"} 6"#,
            #"\#(name)_sum{group="django"} 200.5"#, #"\#(name)_count{group="django"} 6"#,
            #"mooring_group_requests_total{group="django",class="5xx"} 1"#,
            #"mooring_group_start_duration_seconds_count{group="django"} 0"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `what the program itself uses has the names of every client library`() {
        var snapshot = makeSnapshot()
        #expect(!metricsPage(snapshot).contains("process_open_fds"))
        var own = OwnUsageSnapshot()
        own.cpuSeconds = 1.5
        own.openDescriptors = 7
        snapshot.own = own
        let text = metricsPage(snapshot)
        #expect(text.contains("\nprocess_cpu_seconds_total 1.5\n"))
        #expect(text.contains("\nprocess_open_fds 7\n"))
        #expect(text.contains("\nprocess_start_time_seconds \(startOfTests)\n"))
        // It may have any number.
        #expect(!text.contains("process_max_fds"))
    }

    @Test func `label values cannot break out of their quotes`() {
        var out = PrometheusText()
        out.sample("m", 1, ["l": "a\"b\\c\nd"])
        #expect(out.text == "m{l=\"a\\\"b\\\\c\\nd\"} 1\n")
    }
}
