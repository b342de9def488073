internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// One loop's access log: one line per request, in the configured format.
///
/// Belongs to the loop's thread. It knows neither connections nor exchanges: its owner passes the
/// facts of a request as a `LogEntry`, and the bytes of its head.
struct AccessLog: ~Copyable {
    /// Only this type and its extensions write to it.
    var buffer: AccessLogBuffer
    /// By the groups' indices.
    private(set) var groupNames: [[UInt8]]
    /// The heads of open tunnels, by exchange: their blocks were released.
    private var heads: [Int: LoggedHead] = [:]

    init(writer: AccessLogWriter?, format: AccessLogSettings.Format, groupNames: [[UInt8]]) {
        buffer = AccessLogBuffer(writer: writer, format: format)
        self.groupNames = groupNames
    }

    var isOn: Bool { buffer.isOn }
    /// When waiting lines are handed over, in monotonic ns; `Int64.max`: none wait.
    var flushAt: Int64 { buffer.flushAt }

    /// Applies changed settings to lines that begin from now on.
    mutating func reconfigure(format: AccessLogSettings.Format, groupNames: [[UInt8]]) {
        buffer.format = format
        self.groupNames = groupNames
    }

    mutating func flushIfDue(now: Int64) { buffer.flushIfDue(now: now) }

    /// Hands over what waits.
    mutating func flush() { buffer.flush() }

    /// Copies the logged parts of a head whose block is needed elsewhere.
    mutating func keepHead(_ head: Span<UInt8>, line: Range<Int>, of exchange: Int) {
        heads[exchange] = LoggedHead(
            head, requestLine: line, keepsFields: buffer.format != .mooring)
    }

    /// Writes the line of an exchange whose head was kept, and forgets the head.
    mutating func writeKept(_ entry: LogEntry, of exchange: Int, clock: borrowing WallClock) {
        let head = heads.removeValue(forKey: exchange) ?? LoggedHead()
        write(entry, head: head.bytes.span, line: head.line, clock: clock)
    }

    /// Writes the line of a request.
    ///
    /// - Parameters:
    ///   - head: only the request's head; empty: unknown.
    ///   - line: the range of the request line in the head.
    mutating func write(
        _ entry: LogEntry, head: Span<UInt8>, line: Range<Int>, clock: borrowing WallClock
    ) {
        switch buffer.format {
        case .mooring: writePlain(entry, head, line: line, clock)
        case .combined: writeCombined(entry, head, line: line, clock)
        case .json: writeJSON(entry, head, line: line, clock)
        }
        buffer.endLine(now: entry.endedAt)
    }

    private mutating func writePlain(
        _ entry: LogEntry, _ head: Span<UInt8>, line: Range<Int>, _ clock: borrowing WallClock
    ) {
        appendTime(clock)
        buffer.append(" ")
        appendClient(entry)
        buffer.append(" \"")
        appendRequestLine(entry, head, line)
        buffer.append("\" ")
        buffer.append(decimal: UInt64(entry.status))
        buffer.append(" ")
        buffer.append(decimal: entry.bytesToClient)
        if entry.isTunnel {
            buffer.append("/")
            buffer.append(decimal: entry.bytesFromClient)
        }
        buffer.append(" ")
        buffer.append(seconds: entry.endedAt &- entry.startedAt)
        buffer.append(" ")
        appendQueueTime(entry, missing: "-")
        buffer.append(" ")
        appendFirstByteTime(entry, missing: "-")
        buffer.append(" ")
        if !appendGroup(entry) { buffer.append("-") }
        buffer.append(" ")
        if !appendProcess(entry) { buffer.append("-") }
        buffer.append(" ")
        buffer.append(entry.verdict.word)
        buffer.append(" ")
        buffer.append(entry.action ?? "-")
    }
}
