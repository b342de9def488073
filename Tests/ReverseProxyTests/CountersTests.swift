internal import Foundation
internal import SessionAffinity
internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct CountersTests {
    @Test func `counters of all loops are summed`() {
        let one = Counters()
        let other = Counters()
        one.add(.requests, 3)
        other.add(.requests, 4)
        one.add(.status5xx)
        let sum = ProxyStatistics(summing: [one, other])
        #expect(sum.traffic[.requests] == 7)
        #expect(sum.traffic[.status5xx] == 1)
    }

    @Test func `every counter is part of the statistics`() {
        #expect(TrafficCounter.count == TrafficCounter.allCases.count)
        for counter in TrafficCounter.allCases {
            let counters = Counters()
            counters.add(counter, 4711)
            let traffic = ProxyStatistics(summing: [counters]).traffic
            for other in TrafficCounter.allCases {
                #expect(traffic[other] == (other == counter ? 4711 : 0), "\(counter)")
            }
        }
    }

    @Test func `every counter has a line that counts it`() throws {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/ReverseProxy")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var mentioned: Set<Substring> = []
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            // `case …: .x`: a status or verdict has its own.
            let counting = #/(?:add\(|case .*: |default: )\.(\w+)|\[\.(\w+)\] &\+=/#
            for match in text.matches(of: counting) {
                mentioned.insert(match.output.1 ?? match.output.2 ?? "")
            }
        }
        for counter in TrafficCounter.allCases {
            #expect(mentioned.contains("\(counter)"), "\(counter) is never counted")
        }
    }

    @Test func `a verdict is counted under its word in the log`() {
        for verdict in Verdict.allCases {
            let path = LoopCounters.counter(of: verdict).metric.path
            #expect(path == ["verdicts", "\(verdict.word)"])
        }
    }

    @Test func `what is subtracted was added before`() {
        let counters = Counters()
        counters.add(.connections)
        counters.add(.connections)
        counters.subtract(.connections)
        #expect(counters[.connections] == 1)
    }

    @Test func `percentiles are within an eighth of the truth`() {
        let counters = Counters()
        for micros in 1...1000 { counters.recordLatency(Int64(micros) * 1000) }
        let sum = ProxyStatistics(summing: [counters])
        #expect(sum.traffic.latencyP50 >= 0.000_500 && sum.traffic.latencyP50 <= 0.000_570)
        #expect(sum.traffic.latencyP99 >= 0.000_990 && sum.traffic.latencyP99 <= 0.001_120)
    }

    @Test func `a latency beyond all buckets lands in the last`() {
        let counters = Counters()
        counters.recordLatency(Int64.max)
        counters.recordLatency(-1)
        #expect(counters.latencyCount(bucket: Counters.latencyBuckets - 1) == 1)
        #expect(counters.latencyCount(bucket: 0) == 1)
    }
}
