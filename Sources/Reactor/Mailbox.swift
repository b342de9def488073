internal import Synchronization

/// Messages from any thread to one loop: many writers, one reader, in order.
///
/// The reader swaps the whole batch out, so a writer waits for no more than an append; the loop is
/// woken by the first message of a batch only.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// The number of queued messages; only changed under the lock.
    private let count = Atomic<Int>(0)
    private let waker: Waker

    package init(waker: Waker) { self.waker = waker }

    /// Posts a message; any thread.
    package func post(_ message: Message) {
        let first = messages.withLock { waiting in
            waiting.append(message)
            return count.wrappingAdd(1, ordering: .releasing).newValue == 1
        }
        if first { waker.wake() }
    }

    /// Whether there are no messages.
    ///
    /// A loop checks this in every turn, usually without result: array operations are not
    /// specialized for a message type of another module, and would cost a hundred times as much.
    package var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// Swaps the queued messages into an empty array, whose storage is reused by the writers.
    package func drain(into batch: inout [Message]) {
        if !batch.isEmpty { batch.removeAll(keepingCapacity: true) }
        messages.withLock { waiting in
            swap(&waiting, &batch)
            count.store(0, ordering: .relaxed)
        }
    }
}
