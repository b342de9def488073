internal import SessionAffinity
internal import Settings

/// One loop's counters: its own events, and the requests of each group.
///
/// Belongs to the loop's thread; any thread reads the cells, through `WorkerShare`.
final class LoopCounters {
    private let cells: Counters
    private let tallies: GroupTallies
    /// By the groups' indices.
    private var groups: [GroupTally]

    init(_ share: WorkerShare, groups count: Int) {
        cells = share.counters
        tallies = share.groupTallies
        groups = share.groupTallies.grow(to: count)
    }

    /// Adds counters for new groups.
    func grow(groups count: Int) { groups = tallies.grow(to: count) }

    func add(_ counter: Counters.Counter, _ amount: UInt64 = 1) { cells.add(counter, amount) }

    func subtract(_ counter: Counters.Counter) { cells.subtract(counter) }

    subscript(_ counter: Counters.Counter) -> UInt64 { cells[counter] }

    /// Counts a completed request.
    ///
    /// - Parameters:
    ///   - nanoseconds: its duration.
    ///   - group: its group's index; -1: no group was selected.
    func countRequest(status: UInt16, nanoseconds: Int64, group: Int) {
        cells.subtract(.requestsActive)
        cells.add(.requests)
        cells.add(Self.counter(ofStatus: status))
        cells.recordLatency(nanoseconds)
        if group >= 0 { groups[group].countRequest(status: status, nanoseconds: nanoseconds) }
    }

    /// Counts the time in ns that a request of a group waited for a slot.
    func countWait(nanoseconds: Int64, group: Int) {
        groups[group].countWait(nanoseconds: nanoseconds)
    }

    func count(_ verdict: Verdict) { cells.add(Self.counter(of: verdict)) }

    private static func counter(ofStatus status: UInt16) -> Counters.Counter {
        switch status {
        case 100...199: .status1xx
        case 200...299: .status2xx
        case 300...399: .status3xx
        case 400...499: .status4xx
        default: .status5xx
        }
    }

    /// The counter of a verdict, whose word is the verdict's.
    static func counter(of verdict: Verdict) -> Counters.Counter {
        switch verdict {
        case .none: .verdictNone
        case .valid: .verdictValid
        case .forged: .verdictForged
        case .expired: .verdictExpired
        case .unknownKey: .verdictUnknownKey
        case .otherGroup: .verdictOtherGroup
        case .gone: .verdictGone
        case .malformed: .verdictMalformed
        }
    }
}
