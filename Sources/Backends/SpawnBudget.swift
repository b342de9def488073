internal import Synchronization

/// What all groups have together: starts at once, and living processes.
///
/// Asked under a group's lock, so it never calls anybody itself; a group that gets nothing asks again
/// a moment later, in the order in which they came.
package final class SpawnBudget: Sendable {
    private struct State {
        var concurrency: Int
        var maxProcesses: Int
        /// Since when which group's processes start, the earliest first.
        var starts: [(group: Int, since: MonotonicInstant)] = []
        var living = 0
        /// Groups that wait for a start, first come, first served.
        var waiting: [Int] = []
        /// The group that a process elsewhere is given up for, and until when nobody else asks.
        var roomFor: Int?
        var roomAskedUntil = MonotonicInstant(nanoseconds: .min)

        func youngStarts(at now: MonotonicInstant) -> Int {
            starts.count { now < $0.since + SpawnBudget.startPatience }
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
    func ask(group: Int, mayMakeRoom: Bool, now: MonotonicInstant) -> Answer {
        state.withLock { state in
            if state.maxProcesses > 0 {
                if state.living >= state.maxProcesses {
                    guard mayMakeRoom, state.roomAskedUntil <= now else {
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
            if state.concurrency > 0 {
                let free = state.concurrency - state.youngStarts(at: now)
                let position = state.waiting.firstIndex(of: group) ?? state.waiting.count
                if free <= 0 || position >= free {
                    if position == state.waiting.count { state.waiting.append(group) }
                    return .wait
                }
            }
            state.waiting.removeAll { $0 == group }
            if state.roomFor == group {
                state.roomFor = nil
                state.roomAskedUntil = now
            }
            state.starts.append((group, now))
            state.living += 1
            return .granted
        }
    }

    /// A group wants no process any more.
    func withdraw(group: Int) {
        state.withLock { state in
            state.waiting.removeAll { $0 == group }
            if state.roomFor == group { state.roomFor = nil }
        }
    }

    /// A process that lives already.
    func adopted(group: Int, isStarting: Bool, now: MonotonicInstant) {
        state.withLock { state in
            state.living += 1
            if isStarting { state.starts.append((group, now)) }
        }
    }

    /// A process of a group is ready, or will never be.
    func startEnded(group: Int) {
        state.withLock { state in
            guard let index = state.starts.firstIndex(where: { $0.group == group }) else {
                preconditionFailure("a start ends once")
            }
            state.starts.remove(at: index)
        }
    }

    /// A process is gone.
    func ended() { state.withLock { $0.living -= 1 } }

    /// Processes starting and living, for tests and the simulation.
    package var counts: (starting: Int, living: Int) {
        state.withLock { ($0.starts.count, $0.living) }
    }

    /// Starts that keep others waiting.
    package func youngStarts(at now: MonotonicInstant) -> Int {
        state.withLock { $0.youngStarts(at: now) }
    }
}
