/// Totals of the data plane since the start, over all its loops.
package struct TrafficSnapshot: Equatable, Sendable {
    private var counts = [UInt64](repeating: 0, count: TrafficCounter.count)
    /// Seconds from a request's first byte to the response's last.
    package var latencyP50 = 0.0
    package var latencyP90 = 0.0
    package var latencyP99 = 0.0

    package init() {}

    package subscript(_ counter: TrafficCounter) -> UInt64 {
        get { counts[counter.rawValue] }
        set { counts[counter.rawValue] = newValue }
    }
}
