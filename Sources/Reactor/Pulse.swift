internal import Synchronization

/// A liveness check of a loop by other threads.
///
/// A watcher asks and wakes the loop; the loop answers in its next turn. Times are monotonic
/// nanoseconds.
package final class Pulse: Sendable {
    /// The loop's name, which is also its thread's.
    package let name: String
    /// The time of the unanswered question; 0: there is none, -1: the loop has ended.
    private let askedAt = Atomic<Int64>(0)

    package init(name: String) { self.name = name }

    /// Asks, unless the last question is still unanswered.
    ///
    /// - Returns: whether the caller must wake the loop.
    package func ask(now: Int64) -> Bool {
        askedAt.compareExchange(
            expected: 0, desired: max(now, 1), ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Called by the loop in its turn.
    package func answer() {
        _ = askedAt.exchange(0, ordering: .sequentiallyConsistent)
    }

    /// The loop has stopped as planned and will not answer any more.
    package func end() { askedAt.store(-1, ordering: .sequentiallyConsistent) }

    /// How long the question has been unanswered; 0: it was answered.
    package func silence(now: Int64) -> Int64 {
        let time = askedAt.load(ordering: .sequentiallyConsistent)
        return time > 0 ? max(now - time, 1) : 0
    }
}
