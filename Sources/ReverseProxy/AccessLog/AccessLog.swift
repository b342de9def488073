internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// One loop's access log: one line a request, in the format that was chosen.
///
/// Belongs to the loop's thread. It knows neither connections nor exchanges: its owner passes the facts
/// of a request as a `LogEntry`, and the bytes of its head.
struct AccessLog: ~Copyable {
    /// Extensions format lines into it; nobody else touches it.
    var buffer: AccessLogBuffer
    /// By the groups' indices.
    private var groupNames: [[UInt8]]
    /// The heads of open tunnels, by exchange: their own blocks are given back.
    private var heads: [Int: LoggedHead] = [:]

    init(writer: AccessLogWriter?, format: AccessLogSettings.Format, groupNames: [[UInt8]]) {
        buffer = AccessLogBuffer(writer: writer, format: format)
        self.groupNames = groupNames
    }

    var isOn: Bool { buffer.isOn }
    /// When the lines that wait are handed over, in monotonic ns; `Int64.max`: none wait.
    var flushAt: Int64 { buffer.flushAt }

    /// Takes over changed settings for the lines that begin from now on.
    mutating func reconfigure(format: AccessLogSettings.Format, groupNames: [[UInt8]]) {
        buffer.format = format
        self.groupNames = groupNames
    }

    mutating func flushIfDue(now: Int64) { buffer.flushIfDue(now: now) }

    /// Hands over what waits.
    mutating func flush() { buffer.flush() }

    /// Copies what the log will show of a head whose block is wanted elsewhere.
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
    ///   - head: no more than the request's head; empty: nothing is known of it.
    ///   - line: where the request line is in the head.
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

/// The pieces of a line that every format has.
extension AccessLog {
    mutating func appendTime(_ clock: borrowing WallClock) {
        buffer.append(clock.timestamp.span)
        buffer.append(".")
        buffer.append(padded: UInt64(clock.milliseconds), digits: 3)
        buffer.append("Z")
    }

    mutating func appendClient(_ entry: LogEntry) {
        buffer.append(entry.client.host.span.extracting(0..<entry.client.hostCount))
    }

    mutating func appendRequestLine(_ entry: LogEntry, _ head: Span<UInt8>, _ line: Range<Int>) {
        guard !line.isEmpty else { return buffer.append("-") }
        let version = 8
        let end = line.upperBound
        let shown = line.lowerBound..<min(end, line.lowerBound + LoggedHead.Limit.requestLine)
        guard entry.isStream, shown.upperBound == end,
            line.count > version, head[end - version] == UInt8(ascii: "H")
        else {
            return buffer.append(escaping: head.extracting(shown))
        }
        buffer.append(escaping: head.extracting(line.lowerBound..<end - version))
        buffer.append("HTTP/2.0")
    }

    mutating func appendQueueTime(_ entry: LogEntry, missing: StaticString) {
        if entry.grantedAt == 0 {
            buffer.append(missing)
        } else {
            buffer.append(seconds: entry.grantedAt &- entry.startedAt)
        }
    }

    mutating func appendFirstByteTime(_ entry: LogEntry, missing: StaticString) {
        if entry.firstByteAt == 0 {
            buffer.append(missing)
        } else {
            buffer.append(seconds: entry.firstByteAt &- entry.startedAt)
        }
    }

    /// False: there is none to show.
    mutating func appendGroup(_ entry: LogEntry) -> Bool {
        guard entry.group >= 0 else { return false }
        buffer.append(groupNames[entry.group])
        return true
    }

    /// False: there is none to show.
    mutating func appendProcess(_ entry: LogEntry) -> Bool {
        guard let process = entry.process else { return false }
        buffer.append(escaping: process.bytes.span.extracting(process.range))
        return true
    }
}
