internal import Synchronization

/// Messages from any thread to one loop: many writers, one reader, in order.
///
/// The reader swaps the whole batch out, so a writer waits for no more than an append; the loop is
/// woken by the first message of a batch only.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let waker: Waker

    package init(waker: Waker) { self.waker = waker }

    /// Leaves a message; any thread.
    package func post(_ message: Message) {
        let first = messages.withLock { waiting in
            waiting.append(message)
            return waiting.count == 1
        }
        if first { waker.wake() }
    }

    /// Swaps what has come into an emptied array, whose storage serves the writers next.
    package func drain(into batch: inout [Message]) {
        // Once a turn of a loop, and mostly with nothing: emptying is not specialized for a message
        // of another module, and costs a hundred times the question.
        if !batch.isEmpty { batch.removeAll(keepingCapacity: true) }
        messages.withLock { waiting in swap(&waiting, &batch) }
    }
}
