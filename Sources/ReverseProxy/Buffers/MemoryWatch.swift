/// A loop's view of buffer memory.
struct MemoryWatch {
    /// How much of `limits.buffer_memory` is in use, by all loops.
    enum Pressure {
        /// Less than half.
        case none
        /// Half: connections with slow clients get a small allowance.
        case half
        /// All: nothing is read from a process whose client is slow.
        case full
    }

    /// How long memory must be idle before it is returned to the system.
    static let trimInterval: Int64 = 200_000_000
    private static let publishInterval: Int64 = 2_000_000
    /// A rough estimate of the malloc(3) memory of a TLS or HTTP/2 connection.
    private static let heapPerConnection = 32 * 1024
    /// A decrease in use that makes trimming malloc(3)'s free memory worthwhile.
    private static let heapTrimStep = 4 << 20

    /// Bytes in the other loops' buffers, as last published.
    var others = 0
    /// When idle blocks are returned to the system; monotonic ns.
    var trimAt = Int64.max
    private var publishAt: Int64 = 0
    /// TLS connections plus HTTP/2 connections.
    var heapConnections = 0
    private var heapPeak = 0

    /// Whether to publish the usage to the other loops again.
    mutating func isPublishDue(now: Int64) -> Bool {
        guard now >= publishAt else { return false }
        publishAt = now &+ Self.publishInterval
        return true
    }

    /// Whether much memory from malloc(3) has become free.
    ///
    /// - Parameter streamBytes: the memory in which HTTP/2 buffers for slow peers.
    mutating func isHeapTrimDue(streamBytes: Int) -> Bool {
        let inUse = streamBytes + heapConnections * Self.heapPerConnection
        if inUse > heapPeak { heapPeak = inUse }
        guard heapPeak - inUse >= Self.heapTrimStep, inUse <= heapPeak / 2 else { return false }
        heapPeak = inUse
        return true
    }

    /// Memory became idle: schedules its return to the system, unless it is used again before.
    mutating func scheduleTrim(now: Int64) {
        if trimAt == .max { trimAt = now &+ Self.trimInterval }
    }
}
