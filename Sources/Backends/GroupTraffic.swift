/// A group's traffic since the start.
package struct GroupTraffic: Equatable, Sendable {
    /// 1xx to 5xx.
    package var requestsByStatusClass: [UInt64] = [0, 0, 0, 0, 0]
    /// From a request's first byte to the response's last.
    package var durations = DurationHistogram()
    /// From requesting a slot until the grant or the refusal.
    package var waits = DurationHistogram()

    package init() {}

    /// Adds the traffic counted elsewhere.
    package mutating func add(_ other: GroupTraffic) {
        for (index, count) in other.requestsByStatusClass.enumerated() {
            requestsByStatusClass[index] &+= count
        }
        durations.add(other.durations)
        waits.add(other.waits)
    }
}
