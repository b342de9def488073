internal import Synchronization

/// Whether a loop takes its turns, as other threads see it.
///
/// Somebody asks and has the loop woken; the loop answers in its next turn. Times are monotonic
/// nanoseconds.
package final class Pulse: Sendable {
    /// The loop's name, as that of its thread.
    package let name: String
    /// When the question that has no answer yet was asked; 0: there is none, -1: the loop has ended.
    private let askedAt = Atomic<Int64>(0)

    package init(name: String) { self.name = name }

    /// Asks, unless there is no answer to the last question yet.
    ///
    /// - Returns: whether the loop is to be told.
    package func ask(now: Int64) -> Bool {
        askedAt.compareExchange(
            expected: 0, desired: max(now, 1), ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// The loop takes its turns.
    package func answer() {
        _ = askedAt.exchange(0, ordering: .sequentiallyConsistent)
    }

    /// The loop has ended as it was told to, and is not missed.
    package func end() { askedAt.store(-1, ordering: .sequentiallyConsistent) }

    /// How long an answer has been awaited; 0: there was one.
    package func silence(now: Int64) -> Int64 {
        let time = askedAt.load(ordering: .sequentiallyConsistent)
        return time > 0 ? max(now - time, 1) : 0
    }
}
