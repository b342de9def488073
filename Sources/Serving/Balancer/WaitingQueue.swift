internal import Dispatch
internal import Synchronization

/// A queue from any thread to one waiting thread.
///
/// The main thread waits here rather than in an `async` main: Swift's main queue would intercept
/// the signals that belong to supervision.
final class WaitingQueue<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let available = DispatchSemaphore(value: 0)

    func post(_ element: Element) {
        elements.withLock { $0.append(element) }
        available.signal()
    }

    /// Blocks until there is an element.
    func next() -> Element {
        while true {
            available.wait()
            let first = elements.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let first { return first }
        }
    }

    /// Blocks until there is an element, for at most the given seconds; nil: there was none.
    func next(within seconds: Int) -> Element? {
        guard available.wait(timeout: .now() + .seconds(seconds)) == .success else { return nil }
        return elements.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Blocks until there is an element; returns it with those after it.
    func next(atMost count: Int) -> [Element] {
        let first = next()
        return elements.withLock { elements in
            let rest = Array(elements.prefix(count - 1))
            elements.removeFirst(rest.count)
            return [first] + rest
        }
    }
}

/// Runs asynchronous work and blocks the calling thread until it is done.
package func waitFor<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let results = WaitingQueue<Result<Value, any Error>>()
    Task {
        do {
            results.post(.success(try await work()))
        } catch {
            results.post(.failure(error))
        }
    }
    return try results.next().get()
}
