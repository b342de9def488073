/// What the data plane has counted, over all its loops.
package struct ProxyStatistics: Equatable, Sendable {
    package var connectionsActive: UInt64 = 0
    package var connectionsAccepted: UInt64 = 0
    package var requestsActive: UInt64 = 0
    package var requestsTotal: UInt64 = 0
    /// 1xx to 5xx.
    package var requestsByStatusClass: [UInt64] = [0, 0, 0, 0, 0]
    /// Seconds of all requests together.
    package var requestSeconds: Double = 0
    package var latencyP50: Double = 0
    package var latencyP90: Double = 0
    package var latencyP99: Double = 0
    /// By the verdict's word, in a fixed order.
    package var verdicts: [(word: String, count: UInt64)] = []
    /// WebSockets and other upgrades that are open.
    package var tunnelsActive: UInt64 = 0
    package var tunnelsTotal: UInt64 = 0
    package var retriesTotal: UInt64 = 0
    /// `Set-Cookie` fields of processes that named a cookie of Mooring's own.
    package var ownCookiesRemoved: UInt64 = 0
    /// By the groups' places.
    package var groups: [GroupTraffic] = []
    /// TLS handshakes with clients, and those among all that came to nothing.
    package var handshakesTotal: UInt64 = 0
    package var handshakesFailed: UInt64 = 0
    /// Connections that did not begin as their listener asks: PROXY header, TLS or HTTP/2.
    package var greetingsRefused: UInt64 = 0
    /// Requests over HTTP/2.
    package var streamsTotal: UInt64 = 0
    /// Access log lines that could not be written.
    package var logLinesDropped: UInt64 = 0

    package static func == (left: ProxyStatistics, right: ProxyStatistics) -> Bool {
        left.requestsTotal == right.requestsTotal
            && left.connectionsAccepted == right.connectionsAccepted
            && left.requestsByStatusClass == right.requestsByStatusClass
    }

    /// Sums the loops' counters.
    init(summing all: [Counters]) {
        func sum(_ counter: Counters.Counter) -> UInt64 {
            all.reduce(0) { total, counters in total &+ counters[counter] }
        }
        connectionsActive = sum(.connections)
        connectionsAccepted = sum(.accepted)
        requestsActive = sum(.requestsActive)
        requestsTotal = sum(.requests)
        requestsByStatusClass = [
            sum(.status1xx), sum(.status2xx), sum(.status3xx), sum(.status4xx), sum(.status5xx),
        ]
        verdicts = [
            ("none", sum(.verdictNone)), ("valid", sum(.verdictValid)),
            ("forged", sum(.verdictForged)), ("expired", sum(.verdictExpired)),
            ("unknown_key", sum(.verdictUnknownKey)), ("other_group", sum(.verdictOtherGroup)),
            ("gone", sum(.verdictGone)), ("malformed", sum(.verdictMalformed)),
        ]
        requestSeconds = Double(sum(.requestNanoseconds)) / 1e9
        tunnelsActive = sum(.tunnels)
        tunnelsTotal = sum(.tunnelsOpened)
        retriesTotal = sum(.retries)
        ownCookiesRemoved = sum(.ownCookiesRemoved)
        handshakesTotal = sum(.handshakes)
        handshakesFailed = sum(.handshakesFailed)
        greetingsRefused = sum(.greetingsRefused)
        streamsTotal = sum(.streams)

        let buckets = (0..<Counters.latencyBuckets).map { bucket in
            all.reduce(UInt64(0)) { total, counters in
                total &+ counters.latencyCount(bucket: bucket)
            }
        }
        latencyP50 = Self.percentile(0.50, of: buckets)
        latencyP90 = Self.percentile(0.90, of: buckets)
        latencyP99 = Self.percentile(0.99, of: buckets)
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
