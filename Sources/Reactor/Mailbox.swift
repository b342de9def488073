internal import Synchronization

/// Messages from any thread to one loop: many writers, one reader, in order.
///
/// The reader swaps the whole batch out, so a writer waits for no more than an append; the loop is
/// woken by the first message of a batch only.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// How many wait; only changed under the lock.
    private let count = Atomic<Int>(0)
    private let waker: Waker

    package init(waker: Waker) { self.waker = waker }

    /// Leaves a message; any thread.
    package func post(_ message: Message) {
        let first = messages.withLock { waiting in
            waiting.append(message)
            return count.wrappingAdd(1, ordering: .releasing).newValue == 1
        }
        if first { waker.wake() }
    }

    /// Nothing has come.
    ///
    /// A loop asks in every turn, and mostly in vain: what is done with an array is not specialized for a
    /// message of another module, and costs a hundred times this question.
    package var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// Swaps what has come into an emptied array, whose storage serves the writers next.
    package func drain(into batch: inout [Message]) {
        if !batch.isEmpty { batch.removeAll(keepingCapacity: true) }
        messages.withLock { waiting in
            swap(&waiting, &batch)
            count.store(0, ordering: .relaxed)
        }
    }
}
