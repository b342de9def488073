package import Backends
package import Settings

/// The data plane's counts, over all its loops.
package struct ProxyStatistics: Equatable, Sendable {
    package var traffic = TrafficSnapshot()
    /// By the groups' indices.
    package var groups: [GroupTraffic] = []

    /// Sums the loops' counters.
    init(summing all: [Counters]) {
        for counter in TrafficCounter.allCases {
            for counters in all { traffic[counter] &+= counters[counter] }
        }
        let buckets = (0..<Counters.latencyBuckets).map { bucket in
            all.reduce(UInt64(0)) { total, counters in
                total &+ counters.latencyCount(bucket: bucket)
            }
        }
        traffic.latencyP50 = Self.percentile(0.50, of: buckets)
        traffic.latencyP90 = Self.percentile(0.90, of: buckets)
        traffic.latencyP99 = Self.percentile(0.99, of: buckets)
    }

    private static func percentile(_ share: Double, of buckets: [UInt64]) -> Double {
        let total = buckets.reduce(0, &+)
        guard total > 0 else { return 0 }
        let rank = UInt64((Double(total) * share).rounded(.up))
        var seen: UInt64 = 0
        for (index, count) in buckets.enumerated() {
            seen &+= count
            if seen >= rank { return Counters.bucketSeconds(index) }
        }
        return Counters.bucketSeconds(buckets.count - 1)
    }
}
