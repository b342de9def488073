internal import Synchronization

/// How much a group needs the process that it asks for.
enum StartNeed: Int, Comparable, Sendable {
    /// To be ahead of need: nobody else has to give a process up for it.
    case comfort
    case growth
    /// For one that has gone, or is to go.
    case replacement
    /// Nothing of the group is ready or starting.
    case nothingServes

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What all groups have together: starts at once, and living processes.
///
/// Asked under a group's lock, so it never calls anybody itself; a group that gets nothing asks again
/// a moment later. Those that replace a process come first, then in the order in which they asked. A
/// group that has nothing does not wait for others to start: one that takes long would take it down.
package final class SpawnBudget: Sendable {
    private struct State {
        var concurrency: Int
        var maxProcesses: Int
        /// Since when which group's processes start, the earliest first.
        var starts: [Start] = []
        var living = 0
        /// Groups that wait for a start, in the order in which they came.
        var waiting: [(group: Int, need: StartNeed)] = []
        /// The group that a process elsewhere is given up for, and until when nobody else asks.
        var roomFor: Int?
        var roomAskedUntil = MonotonicInstant(nanoseconds: .min)

        func countingStarts(at now: MonotonicInstant) -> Int {
            starts.count { $0.counts(at: now) }
        }

        func index(group: Int, rank: UInt64) -> Int {
            guard let index = starts.firstIndex(where: { $0.group == group && $0.rank == rank })
            else { preconditionFailure("a start ends once") }
            return index
        }

        /// Enters a group among those that wait; how many of them come before it.
        mutating func wait(group: Int, need: StartNeed) -> Int {
            var own = waiting.firstIndex { $0.group == group } ?? waiting.count
            if own == waiting.count {
                waiting.append((group, need))
                own = waiting.count - 1
            }
            waiting[own].need = need
            return waiting.indices.count {
                waiting[$0].need > need || $0 < own && waiting[$0].need == need
            }
        }
    }

    private struct Start {
        var group: Int
        /// Of its process, by which the group tells its starts apart.
        var rank: UInt64
        var since: MonotonicInstant
        /// It did not have to wait for others: the first of its group, or one that was adopted.
        ///
        /// One that has slept is as good as that, since others have started beside it.
        var isUnbound = false
        /// Its processes use no CPU time, so that it is in nobody's way.
        var sleeps = false

        /// Whether it keeps others waiting.
        func counts(at now: MonotonicInstant) -> Bool {
            !sleeps && now < since + SpawnBudget.startPatience
        }
    }

    /// How long a start keeps others waiting: one that does not get ready, for its program hangs or is
    /// held up by its user, is not to stand in every other group's way until `start_timeout`.
    private static let startPatience = Interval.seconds(5)
    /// An eviction that came to nothing is asked for again after this.
    private static let roomPause = Interval.seconds(1)

    /// The answer to a group that wants to start a process.
    enum Answer: Equatable {
        case granted
        /// Too many are starting.
        case wait
        /// There are `max_processes`; whether another group is to be asked to give one up.
        case full(makesRoom: Bool)
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - concurrency: processes starting at once; 0: no limit.
    ///   - maxProcesses: processes over all groups; 0: no limit.
    package init(concurrency: Int, maxProcesses: Int) {
        state = Mutex(State(concurrency: concurrency, maxProcesses: maxProcesses))
    }

    /// Changes the limits; what is above the new ones goes on.
    package func set(concurrency: Int, maxProcesses: Int) {
        state.withLock { state in
            state.concurrency = concurrency
            state.maxProcesses = maxProcesses
        }
    }

    /// Asks for a start; what is granted is to be given back by `startEnded` and `ended`.
    ///
    /// - Parameter rank: of the process that would be started, different from its siblings'.
    func ask(group: Int, rank: UInt64, need: StartNeed, now: MonotonicInstant) -> Answer {
        state.withLock { state in
            if state.maxProcesses > 0 {
                if state.living >= state.maxProcesses {
                    guard need > .comfort, state.roomAskedUntil <= now else {
                        return .full(makesRoom: false)
                    }
                    state.roomFor = group
                    state.roomAskedUntil = now + Self.roomPause
                    return .full(makesRoom: true)
                }
                // What was given up for one group is not another's.
                if let owner = state.roomFor, owner != group, state.roomAskedUntil > now,
                    state.living == state.maxProcesses - 1
                {
                    return .full(makesRoom: false)
                }
            }
            if state.concurrency > 0, need < .nothingServes {
                let free = state.concurrency - state.countingStarts(at: now)
                if state.wait(group: group, need: need) >= free { return .wait }
            }
            state.waiting.removeAll { $0.group == group }
            if state.roomFor == group {
                state.roomFor = nil
                state.roomAskedUntil = now
            }
            state.starts.append(
                Start(group: group, rank: rank, since: now, isUnbound: need == .nothingServes))
            state.living += 1
            return .granted
        }
    }

    /// A group wants no process any more.
    func withdraw(group: Int) {
        state.withLock { state in
            state.waiting.removeAll { $0.group == group }
            if state.roomFor == group { state.roomFor = nil }
        }
    }

    /// A process that lives already.
    func adopted(group: Int, rank: UInt64, isStarting: Bool, now: MonotonicInstant) {
        state.withLock { state in
            state.living += 1
            if isStarting {
                state.starts.append(Start(group: group, rank: rank, since: now, isUnbound: true))
            }
        }
    }

    /// Whether the processes of a start use no CPU time at the moment; harmless when repeated.
    ///
    /// One that wakes counts again, without regard to those that were granted meanwhile.
    func noteSleep(group: Int, rank: UInt64, _ sleeps: Bool) {
        state.withLock { state in
            let index = state.index(group: group, rank: rank)
            state.starts[index].sleeps = sleeps
            if sleeps { state.starts[index].isUnbound = true }
        }
    }

    /// A process of a group is ready, or will never be.
    func startEnded(group: Int, rank: UInt64) {
        state.withLock { state in
            _ = state.starts.remove(at: state.index(group: group, rank: rank))
        }
    }

    /// A process is gone.
    func ended() { state.withLock { $0.living -= 1 } }

    /// Processes starting and living, for tests and the simulation.
    package var counts: (starting: Int, living: Int) {
        state.withLock { ($0.starts.count, $0.living) }
    }

    /// Starts that keep others waiting and had to wait for others, for the simulation.
    package func boundStarts(at now: MonotonicInstant) -> Int {
        state.withLock { state in
            state.starts.count { !$0.isUnbound && $0.counts(at: now) }
        }
    }
}
