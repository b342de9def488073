internal import Synchronization

/// How many of each kind the shutdown waits for.
package struct WaitingCounts: Sendable {
    /// What a shutdown may wait for, in the order in which it is logged.
    package enum Kind: Int, CaseIterable, Sendable {
        case request, queued, upload, response, reader, eventStream, webSocket, tunnel, connection

        /// Singular and plural.
        var words: (String, String) {
            switch self {
            case .request: ("request that a process works on", "requests that processes work on")
            case .queued: ("request in a queue", "requests in queues")
            case .upload: ("upload", "uploads")
            case .response: ("response that is coming", "responses that are coming")
            case .reader: ("client that reads its response", "clients that read their responses")
            case .eventStream: ("event stream", "event streams")
            case .webSocket: ("WebSocket", "WebSockets")
            case .tunnel: ("other tunnel", "other tunnels")
            case .connection: ("connection without a request", "connections without a request")
            }
        }
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)

    package init() {}

    package subscript(kind: Kind) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }

    mutating func add(_ other: WaitingCounts) {
        for kind in Kind.allCases { self[kind] += other[kind] }
    }

    /// As in "2 WebSockets, 1 upload"; empty: nothing is left.
    package var text: String {
        Kind.allCases.filter { self[$0] > 0 }
            .map { "\(self[$0]) \(self[$0] == 1 ? $0.words.0 : $0.words.1)" }
            .joined(separator: ", ")
    }
}

/// Collects the counts of all loops and reports their sum once.
final class WaitingTally: Sendable {
    private let state: Mutex<(counts: WaitingCounts, left: Int)>
    private let done: @Sendable (WaitingCounts) -> Void

    init(loops: Int, _ done: @escaping @Sendable (WaitingCounts) -> Void) {
        state = Mutex((WaitingCounts(), loops))
        self.done = done
    }

    /// Called once by each loop, on its thread.
    func add(_ counts: WaitingCounts) {
        let sum = state.withLock { state -> WaitingCounts? in
            state.counts.add(counts)
            state.left -= 1
            return state.left == 0 ? state.counts : nil
        }
        if let sum { done(sum) }
    }
}
