internal import Synchronization

/// The last output lines of a process, for failure reports and the admin API; thread-safe.
final class OutputRing: Sendable {
    static let lineLimit = 200
    static let byteLimit = 64 * 1024

    private struct Lines {
        /// A ring once it has grown to `lineLimit`; the oldest line is at `start`.
        var places: [String] = []
        var start = 0
        var count = 0
        var bytes = 0

        mutating func dropOldest() {
            bytes -= places[start].utf8.count
            places[start] = ""
            start = (start + 1) % OutputRing.lineLimit
            count -= 1
        }
    }

    private let lines = Mutex(Lines())

    /// Adds a line; drops the oldest when there are too many lines or bytes.
    func append(_ line: String) {
        lines.withLock { lines in
            if lines.places.isEmpty {
                lines.places = Array(repeating: "", count: Self.lineLimit)
            }
            if lines.count == Self.lineLimit { lines.dropOldest() }
            lines.places[(lines.start + lines.count) % Self.lineLimit] = line
            lines.count += 1
            lines.bytes += line.utf8.count
            while lines.bytes > Self.byteLimit && lines.count > 1 { lines.dropOldest() }
        }
    }

    /// The newest lines, oldest first.
    func last(_ limit: Int = OutputRing.lineLimit) -> [String] {
        lines.withLock { lines in
            let wanted = min(max(limit, 0), lines.count)
            return (lines.count - wanted..<lines.count).map {
                lines.places[(lines.start + $0) % Self.lineLimit]
            }
        }
    }
}
