internal import Foundation
internal import Testing

@testable internal import AdminAPI
@testable internal import Backends

/// The counters of the data plane, in what the admin API shows.
@Suite struct TrafficTests {
    @Test func `every counter is shown, under a name of its own`() throws {
        var names: Set<[String]> = []
        var samples: Set<String> = []
        for counter in TrafficCounter.allCases {
            let metric = counter.metric
            #expect(names.insert(metric.path).inserted, "\(counter)")
            #expect(metric.path.allSatisfy { $0.wholeMatch(of: #/[a-z0-9_]+/#) != nil })
            #expect(!metric.help.isEmpty && metric.help.hasSuffix("."), "\(counter)")
            var traffic = TrafficSnapshot()
            // Seconds where it is counted in nanoseconds.
            traffic[counter] = 4_711_000_000_000
            let number = metric.unit == .seconds ? "4711" : "4711000000000"
            let document = StatsDocument(makeSnapshot(traffic: traffic))
            #expect(document[counter] == UInt64(number), "\(counter)")
            let text = String(decoding: try AdminJSON.encode(document), as: UTF8.self)
            let name = try #require(metric.path.last)
            #expect(text.contains("\"\(name)\":\(number)"), "\(counter) is not in /stats")
            let shown = metricsPage(makeSnapshot(traffic: traffic)).split(separator: "\n")
                .filter { $0.hasSuffix(" \(number)") || $0.hasSuffix(" \(number).0") }
            #expect(shown.count == 1, "\(counter) is not in /metrics")
            let sample = try #require(shown.first?.split(separator: " ").first)
            #expect(sample.hasPrefix(metric.name + metric.suffix))
            #expect(samples.insert(String(sample)).inserted, "\(counter)")
        }
    }

    @Test func `a document that lacks a counter has none of it`() throws {
        var document = StatsDocument(makeSnapshot())
        document.requests = [:]
        #expect(document[.requests] == 0 && document[.status5xx] == 0)
        #expect(document.latencySeconds("p50") == 0)
    }
}
