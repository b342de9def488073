internal import Settings
internal import Synchronization

/// One loop's counters; written by its thread only, read by any.
///
/// Relaxed loads and stores of the owner's cells are plain moves, so counting needs no atomic
/// read-modify-write. Latency buckets are an eighth of an octave of microseconds.
@safe
final class Counters: @unchecked Sendable {
    // Sendable: every cell is atomic, and only the owning loop writes.
    typealias Counter = TrafficCounter

    static let latencyBuckets = 256
    private static let cellCount = Counter.count + latencyBuckets

    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        unsafe cells = .allocate(capacity: Self.cellCount)
        for index in 0..<Self.cellCount {
            unsafe (cells + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        unsafe cells.deinitialize(count: Self.cellCount)
        unsafe cells.deallocate()
    }

    func add(_ counter: Counter, _ amount: UInt64 = 1) { bump(counter.rawValue, amount) }

    func subtract(_ counter: Counter) { bump(counter.rawValue, UInt64.max) }

    /// Counts one request of the given duration in nanoseconds.
    func recordLatency(_ nanoseconds: Int64) {
        bump(Counter.count + Self.bucket(nanoseconds), 1)
        add(.requestNanoseconds, UInt64(max(nanoseconds, 0)))
    }

    subscript(_ counter: Counter) -> UInt64 { read(counter.rawValue) }

    func latencyCount(bucket: Int) -> UInt64 { read(Counter.count + bucket) }

    private func bump(_ index: Int, _ amount: UInt64) {
        let value = unsafe cells[index].load(ordering: .relaxed)
        unsafe cells[index].store(value &+ amount, ordering: .relaxed)
    }

    private func read(_ index: Int) -> UInt64 { unsafe cells[index].load(ordering: .relaxed) }

    private static func bucket(_ nanoseconds: Int64) -> Int {
        let micros = UInt64(max(nanoseconds, 0)) / 1000
        if micros < 8 { return Int(micros) }
        let octave = 63 - micros.leadingZeroBitCount
        let eighth = Int((micros >> UInt64(octave - 3)) & 7)
        return min((octave - 2) * 8 + eighth, latencyBuckets - 1)
    }

    /// The upper bound of a bucket in seconds.
    static func bucketSeconds(_ bucket: Int) -> Double {
        if bucket < 8 { return Double(bucket + 1) / 1e6 }
        let octave = bucket / 8 + 2
        let eighth = bucket % 8
        return Double(UInt64(8 + eighth + 1) << UInt64(octave - 3)) / 1e6
    }
}
