internal import Backends
internal import Synchronization

/// What one loop counts of one group's requests: cells that only it writes, and any thread reads.
///
/// A pointer alone, so that counting touches no reference count; the memory belongs to `GroupTallies`.
@safe
struct GroupTally: @unchecked Sendable {
    // Sendable: every cell is atomic, and only the owning loop writes.
    private static var classesOfStatus: Int { 5 }
    /// The histograms' classes, and behind them the sum in ns.
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

    /// Counts a request that is over, and how long it took in ns.
    func countRequest(status: UInt16, nanoseconds: Int64) {
        bump(min(max(Int(status) / 100, 1), Self.classesOfStatus) - 1, 1)
        record(Self.durations, nanoseconds)
    }

    /// Counts the time in ns that a request has waited for a slot.
    func countWait(nanoseconds: Int64) { record(Self.waits, nanoseconds) }

    private func record(_ start: Int, _ nanoseconds: Int64) {
        bump(start + DurationHistogram.class(of: nanoseconds), 1)
        bump(start + DurationHistogram.classes, UInt64(max(nanoseconds, 0)))
    }

    /// Relaxed moves: there is one writer.
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

/// One loop's tallies of all groups, by index; only ever more.
final class GroupTallies: Sendable {
    private let tallies = Mutex<[GroupTally]>([])

    deinit {
        tallies.withLock { tallies in
            for tally in tallies { tally.free() }
        }
    }

    /// Those of so many groups; known ones stay what they are.
    func grow(to count: Int) -> [GroupTally] {
        tallies.withLock { tallies in
            while tallies.count < count { tallies.append(GroupTally()) }
            return tallies
        }
    }

    /// Adds what the loop has counted, by index.
    func add(to traffic: inout [GroupTraffic]) {
        tallies.withLock { tallies in
            while traffic.count < tallies.count { traffic.append(GroupTraffic()) }
            for (entry, tally) in tallies.enumerated() { tally.add(to: &traffic[entry]) }
        }
    }
}
