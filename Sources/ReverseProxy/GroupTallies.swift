internal import Backends
internal import Synchronization

/// One loop's counters for one group's requests: only the loop writes, any thread reads.
///
/// Just a pointer, so that counting touches no reference count; `GroupTallies` owns the memory.
@safe
struct GroupTally: @unchecked Sendable {
    // Sendable: every cell is atomic, and only the owning loop writes.
    private static var classesOfStatus: Int { 5 }
    /// The histogram's buckets, followed by the sum in ns.
    private static var durations: Int { classesOfStatus }
    private static var waits: Int { durations + DurationHistogram.classes + 1 }
    fileprivate static var cellCount: Int { waits + DurationHistogram.classes + 1 }

    fileprivate let cells: UnsafeMutablePointer<Atomic<UInt64>>

    fileprivate init() {
        unsafe cells = .allocate(capacity: Self.cellCount)
        for index in 0..<Self.cellCount { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    fileprivate func free() {
        unsafe cells.deinitialize(count: Self.cellCount)
        unsafe cells.deallocate()
    }

    /// Counts a completed request, and its duration in ns.
    func countRequest(status: UInt16, nanoseconds: Int64) {
        bump(min(max(Int(status) / 100, 1), Self.classesOfStatus) - 1, 1)
        record(Self.durations, nanoseconds)
    }

    /// Counts the time in ns that a request waited for a slot.
    func countWait(nanoseconds: Int64) { record(Self.waits, nanoseconds) }

    private func record(_ start: Int, _ nanoseconds: Int64) {
        bump(start + DurationHistogram.class(of: nanoseconds), 1)
        bump(start + DurationHistogram.classes, UInt64(max(nanoseconds, 0)))
    }

    /// Relaxed moves suffice for one writer.
    private func bump(_ index: Int, _ amount: UInt64) {
        let value = unsafe cells[index].load(ordering: .relaxed)
        unsafe cells[index].store(value &+ amount, ordering: .relaxed)
    }

    fileprivate func add(to traffic: inout GroupTraffic) {
        for index in 0..<Self.classesOfStatus {
            traffic.requestsByStatusClass[index] &+= read(index)
        }
        add(Self.durations, to: &traffic.durations)
        add(Self.waits, to: &traffic.waits)
    }

    private func add(_ start: Int, to histogram: inout DurationHistogram) {
        for index in 0..<DurationHistogram.classes {
            histogram.counts[index] &+= read(start + index)
        }
        histogram.nanoseconds &+= read(start + DurationHistogram.classes)
    }

    private func read(_ index: Int) -> UInt64 { unsafe cells[index].load(ordering: .relaxed) }
}

/// One loop's counters of all groups, by index; it only grows.
final class GroupTallies: Sendable {
    private let tallies = Mutex<[GroupTally]>([])

    deinit {
        tallies.withLock { tallies in
            for tally in tallies { tally.free() }
        }
    }

    /// The counters of the given number of groups; existing ones stay.
    func grow(to count: Int) -> [GroupTally] {
        tallies.withLock { tallies in
            while tallies.count < count { tallies.append(GroupTally()) }
            return tallies
        }
    }

    /// Adds the loop's counts, by index.
    func add(to traffic: inout [GroupTraffic]) {
        tallies.withLock { tallies in
            while traffic.count < tallies.count { traffic.append(GroupTraffic()) }
            for (entry, tally) in tallies.enumerated() { tally.add(to: &traffic[entry]) }
        }
    }
}
