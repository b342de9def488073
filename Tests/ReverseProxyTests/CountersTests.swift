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
        #expect(sum.requestsTotal == 7)
        #expect(sum.requestsByStatusClass == [0, 0, 0, 0, 1])
    }

    @Test func `every counter is part of the statistics`() {
        for counter in Counters.Counter.allCases {
            let counters = Counters()
            // Nanoseconds are shown as seconds.
            counters.add(counter, 4_711_000_000_000)
            let shown = String(describing: ProxyStatistics(summing: [counters]))
            #expect(shown.contains("4711"), "\(counter) is counted and not shown")
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
        #expect(sum.latencyP50 >= 0.000_500 && sum.latencyP50 <= 0.000_570)
        #expect(sum.latencyP99 >= 0.000_990 && sum.latencyP99 <= 0.001_120)
    }

    @Test func `a latency beyond all buckets lands in the last`() {
        let counters = Counters()
        counters.recordLatency(Int64.max)
        counters.recordLatency(-1)
        #expect(counters.latencyCount(bucket: Counters.latencyBuckets - 1) == 1)
        #expect(counters.latencyCount(bucket: 0) == 1)
    }
}
