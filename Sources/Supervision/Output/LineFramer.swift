/// Splits a child's output into lines; one per pipe.
///
/// Buffers at most one unfinished line of `limit` bytes.
struct LineFramer {
    /// Longer lines are cut here; the rest of such a line is dropped.
    static let defaultLimit = 8 * 1024

    private let limit: Int
    private var unfinished: [UInt8] = []
    /// The line was emitted cut, and its end has not arrived yet.
    private var skipsToLineEnd = false

    init(limit: Int = LineFramer.defaultLimit) { self.limit = limit }

    /// Consumes bytes; calls `onLine` for each completed line, made printable.
    mutating func feed(_ bytes: Span<UInt8>, _ onLine: (String) -> Void) {
        var start = 0
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") {
                endLine(bytes.extracting(start..<index), onLine)
                start = index + 1
            }
            index += 1
        }
        keep(bytes.extracting(start..<bytes.count), onLine)
    }

    /// The pipe has ended: emits the unfinished line.
    mutating func finish(_ onLine: (String) -> Void) {
        if !unfinished.isEmpty {
            onLine(PrintableText.line(unfinished.span))
            unfinished = []
        }
        skipsToLineEnd = false
    }

    /// The lines of a text that is whole, made printable; none of one that is empty.
    static func lines(of text: [UInt8], _ onLine: (String) -> Void) {
        var framer = LineFramer()
        framer.feed(text.span) { if !$0.isEmpty { onLine($0) } }
        framer.finish { if !$0.isEmpty { onLine($0) } }
    }

    private mutating func endLine(_ tail: Span<UInt8>, _ onLine: (String) -> Void) {
        if skipsToLineEnd {
            skipsToLineEnd = false
        } else if unfinished.isEmpty && tail.count <= limit {
            onLine(PrintableText.line(tail))
        } else {
            keep(tail, onLine)
            // Unless it was just emitted cut.
            if !skipsToLineEnd { onLine(PrintableText.line(unfinished.span)) }
            unfinished.removeAll(keepingCapacity: true)
            skipsToLineEnd = false
        }
    }

    private mutating func keep(_ bytes: Span<UInt8>, _ onLine: (String) -> Void) {
        if skipsToLineEnd { return }
        let room = limit - unfinished.count
        for index in 0..<min(room, bytes.count) { unfinished.append(bytes[index]) }
        if bytes.count > room {
            onLine(PrintableText.line(unfinished.span) + " [cut: longer than \(limit) bytes]")
            unfinished.removeAll(keepingCapacity: true)
            skipsToLineEnd = true
        }
    }
}
