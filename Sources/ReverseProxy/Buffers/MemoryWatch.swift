/// What a loop remembers of the memory of its buffers.
struct MemoryWatch {
    /// How much of `limits.buffer_memory` is in use, by all loops.
    enum Pressure {
        /// Less than half.
        case none
        /// Half: whoever waits for its client is held to little.
        case half
        /// All: nothing is read from a process whose client is behind.
        case full
    }

    /// How long memory has to be idle before the system has it back.
    static let trimInterval: Int64 = 200_000_000
    private static let publishInterval: Int64 = 2_000_000
    /// A rough figure for what a connection of TLS or HTTP/2 takes of malloc(3).
    private static let heapPerConnection = 32 * 1024
    /// So much less in use is worth a look at malloc(3)'s free memory.
    private static let heapTrimStep = 4 << 20

    /// Bytes in the other loops' buffers, as of late.
    var others = 0
    /// When idle blocks go back to the system; monotonic ns.
    var trimAt = Int64.max
    private var publishAt: Int64 = 0
    /// Connections of TLS and of HTTP/2, each for itself.
    var heapConnections = 0
    private var heapPeak = 0

    /// Whether the loops are to hear of each other's use again.
    mutating func isPublishDue(now: Int64) -> Bool {
        guard now >= publishAt else { return false }
        publishAt = now &+ Self.publishInterval
        return true
    }

    /// Whether much of what malloc(3) had given is free again.
    ///
    /// - Parameter streamBytes: what HTTP/2 holds for somebody slow.
    mutating func isHeapTrimDue(streamBytes: Int) -> Bool {
        let inUse = streamBytes + heapConnections * Self.heapPerConnection
        if inUse > heapPeak { heapPeak = inUse }
        guard heapPeak - inUse >= Self.heapTrimStep, inUse <= heapPeak / 2 else { return false }
        heapPeak = inUse
        return true
    }

    /// Something became idle: it is given back a while from now unless it is needed again.
    mutating func scheduleTrim(now: Int64) {
        if trimAt == .max { trimAt = now &+ Self.trimInterval }
    }
}
