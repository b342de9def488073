internal import Reactor
internal import Synchronization

/// A group's output file (`output`) as seen by the writers of lines; thread-safe.
///
/// The queue is bounded: a disk that hangs costs lines, never the balancer's time.
final class OutputTarget: Sendable {
    static let waitingLimit = 1 << 20

    let path: String
    private let waiting = Atomic<Int>(0)
    private let lost = Atomic<Int>(0)

    init(path: String) { self.path = path }

    /// Whether the bytes fit into the queue; otherwise counts their lines as lost.
    func admits(bytes: Int, lines: Int) -> Bool {
        if waiting.load(ordering: .relaxed) + bytes > Self.waitingLimit {
            lose(lines: lines)
            return false
        }
        waiting.add(bytes, ordering: .relaxed)
        return true
    }

    func settle(bytes: Int) { waiting.subtract(bytes, ordering: .relaxed) }

    func lose(lines: Int) { lost.add(lines, ordering: .relaxed) }

    /// Lines lost since the last call.
    func takeLost() -> Int { lost.exchange(0, ordering: .relaxed) }
}

/// The lines of one process on their way to its group's file.
struct TaggedLines {
    private let writer: OutputWriter
    private let tag: String
    /// The prefix of the lines of one read.
    private var prefix: [UInt8] = []
    private var bytes: [UInt8] = []
    private var count = 0

    init(writer: OutputWriter, group: String, label: String, pid: Int32) {
        self.writer = writer
        tag = "\(group)/\(label)[\(pid)]"
    }

    /// Begins a read: each line gets the prefix `2026-11-22T10:00:00.123Z django/k3f9abcd[4711]
    /// stdout: `.
    mutating func begin(_ stream: OutputPipe.Stream) {
        prefix = Array("\(TimeText.utc()) \(tag) \(stream.rawValue): ".utf8)
    }

    /// Appends a line without its terminator.
    mutating func append(_ line: String) {
        bytes.append(contentsOf: prefix)
        bytes.append(contentsOf: line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        count += 1
    }

    /// Passes on the collected lines; harmless when there are none.
    mutating func flush() {
        guard count > 0 else { return }
        writer.append(bytes, count: count)
        bytes = []
        count = 0
    }
}
