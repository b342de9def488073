internal import Synchronization

/// How urgently a group needs the process that it requests.
enum StartNeed: Int, Comparable, Sendable {
    /// Ahead of need: no other group stops a process for it.
    case comfort
    case growth
    /// To replace a process that is gone, or will stop.
    case replacement
    /// No process of the group is ready or starting.
    case nothingServes

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Limits shared by all groups: concurrent starts, and living processes.
///
/// It is called under a group's lock, so it never calls back; a group that gets nothing asks again
/// a moment later. Replacements come first, then requests in order of arrival. A group without any
/// process does not wait for other groups' starts: a slow one would cause an outage.
package final class SpawnBudget: Sendable {
    private struct State {
        var concurrency: Int
        var maxProcesses: Int
        /// The starts in progress with their begin, the earliest first.
        var starts: [Start] = []
        var living = 0
        /// Groups that wait for a start, in order of arrival.
        var waiting: [(group: Int, need: StartNeed)] = []
        /// The group for which a process elsewhere is being stopped, and until when it alone may
        /// use the room.
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

        /// Adds a group to the waiting ones; returns how many come before it.
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
        /// The process's rank, which distinguishes starts of one group.
        var rank: UInt64
        var since: MonotonicInstant
        /// It did not have to wait for others: the first of its group, or an adopted process.
        ///
        /// Also set once it has slept, since others have started beside it.
        var isUnbound = false
        /// Its processes use no CPU time, so it does not delay others.
        var sleeps = false

        /// Whether it delays other starts.
        func counts(at now: MonotonicInstant) -> Bool {
            !sleeps && now < since + SpawnBudget.startPatience
        }
    }

    /// How long a start delays others.
    ///
    /// A start that hangs, or that its user blocks, must not delay every other group until
    /// `start_timeout`.
    private static let startPatience = Interval.seconds(5)
    /// After this, a request for room that had no result is repeated.
    private static let roomPause = Interval.seconds(1)

    /// The response to a group that wants to start a process.
    enum Answer: Equatable {
        case granted
        /// Too many are starting.
        case wait
        /// `max_processes` are running; `makesRoom`: another group should be asked to stop one.
        case full(makesRoom: Bool)
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - concurrency: processes starting at once; 0: no limit.
    ///   - maxProcesses: processes over all groups; 0: no limit.
    package init(concurrency: Int, maxProcesses: Int) {
        state = Mutex(State(concurrency: concurrency, maxProcesses: maxProcesses))
    }

    /// Changes the limits; processes and starts above the new ones continue.
    package func set(concurrency: Int, maxProcesses: Int) {
        state.withLock { state in
            state.concurrency = concurrency
            state.maxProcesses = maxProcesses
        }
    }

    /// Requests a start; a granted one must be returned by `startEnded` and `ended`.
    ///
    /// - Parameter rank: the rank of the process to start, unique in its group.
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
                // The room was made for another group.
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

    /// A group wants no more processes.
    func withdraw(group: Int) {
        state.withLock { state in
            state.waiting.removeAll { $0.group == group }
            if state.roomFor == group { state.roomFor = nil }
        }
    }

    /// Counts an adopted process.
    func adopted(group: Int, rank: UInt64, isStarting: Bool, now: MonotonicInstant) {
        state.withLock { state in
            state.living += 1
            if isStarting {
                state.starts.append(Start(group: group, rank: rank, since: now, isUnbound: true))
            }
        }
    }

    /// Whether the processes of a start currently use no CPU time; repeated and late calls are
    /// harmless.
    ///
    /// One that wakes counts again, regardless of starts granted meanwhile.
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

    /// Starts that delay others and had to wait for others, for the simulation.
    package func boundStarts(at now: MonotonicInstant) -> Int {
        state.withLock { state in
            state.starts.count { !$0.isUnbound && $0.counts(at: now) }
        }
    }
}
