internal import Backends
internal import HTTPWire
internal import SessionAffinity

/// The access log's other formats, which other programs read.
extension AccessLog {
    /// Apache's `combined`: `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`.
    mutating func writeCombined(
        _ entry: LogEntry, _ head: Span<UInt8>, line: Range<Int>, _ clock: borrowing WallClock
    ) {
        if entry.isAnonymous {
            // A unix socket has no address, but readers of the format expect one.
            buffer.append("127.0.0.1")
        } else {
            appendClient(entry)
        }
        buffer.append(" - - [")
        appendApacheTime(clock)
        buffer.append("] \"")
        appendRequestLine(entry, head, line)
        buffer.append("\" ")
        buffer.append(decimal: UInt64(entry.status))
        buffer.append(" ")
        if entry.bytesToClient == 0 {
            buffer.append("-")
        } else {
            buffer.append(decimal: entry.bytesToClient)
        }
        let fields = LoggedFields(head, requestLine: line)
        buffer.append(" \"")
        appendField(head, fields.referer, atMost: LoggedHead.Limit.referer)
        buffer.append("\" \"")
        appendField(head, fields.userAgent, atMost: LoggedHead.Limit.userAgent)
        buffer.append("\"")
    }

    /// `28/Nov/2026:22:23:56 +0000`, of the pieces of an HTTP date.
    private mutating func appendApacheTime(_ clock: borrowing WallClock) {
        let date = clock.httpDate
        buffer.append(date.span.extracting(5..<7))
        buffer.append("/")
        buffer.append(date.span.extracting(8..<11))
        buffer.append("/")
        buffer.append(date.span.extracting(12..<16))
        buffer.append(":")
        buffer.append(date.span.extracting(17..<25))
        buffer.append(" +0000")
    }

    private mutating func appendField(
        _ head: Span<UInt8>, _ value: Range<Int>?, atMost limit: Int
    ) {
        guard let value else { return buffer.append("-") }
        buffer.append(escaping: head.extracting(value.prefix(limit)))
    }

    /// One object per line; missing values are null.
    mutating func writeJSON(
        _ entry: LogEntry, _ head: Span<UInt8>, line: Range<Int>, _ clock: borrowing WallClock
    ) {
        buffer.append("{\"time\":\"")
        appendTime(clock)
        buffer.append("\",\"client\":\"")
        appendClient(entry)
        buffer.append("\",\"request\":")
        if line.isEmpty {
            buffer.append("null")
        } else {
            buffer.append("\"")
            appendRequestLine(entry, head, line)
            buffer.append("\"")
        }
        let fields = LoggedFields(head, requestLine: line)
        appendMember("host", head, fields.host, atMost: LoggedHead.Limit.host)
        appendMember("user_agent", head, fields.userAgent, atMost: LoggedHead.Limit.userAgent)
        appendMember("referer", head, fields.referer, atMost: LoggedHead.Limit.referer)
        if let generated = entry.generatedID {
            buffer.append(",\"request_id\":\"")
            buffer.append(hex: generated.high, digits: 16)
            buffer.append(hex: generated.low, digits: 16)
            buffer.append("\"")
        } else {
            appendMember("request_id", head, fields.requestID, atMost: LoggedHead.Limit.requestID)
        }
        appendNumbers(entry)
        appendPlacement(entry)
        buffer.append("}")
    }

    private mutating func appendNumbers(_ entry: LogEntry) {
        buffer.append(",\"status\":")
        buffer.append(decimal: UInt64(entry.status))
        buffer.append(",\"bytes\":")
        buffer.append(decimal: entry.bytesToClient)
        buffer.append(",\"received\":")
        buffer.append(decimal: entry.bytesFromClient)
        buffer.append(",\"duration\":")
        buffer.append(seconds: entry.endedAt &- entry.startedAt)
        buffer.append(",\"queue\":")
        appendQueueTime(entry, missing: "null")
        buffer.append(",\"first_byte\":")
        appendFirstByteTime(entry, missing: "null")
    }

    private mutating func appendPlacement(_ entry: LogEntry) {
        beginQuoted("group")
        endQuoted(appendGroup(entry))
        beginQuoted("process")
        endQuoted(appendProcess(entry))
        buffer.append(",\"cookie\":\"")
        buffer.append(entry.verdict.word)
        buffer.append("\"")
        beginQuoted("session")
        if let action = entry.action { buffer.append(action) }
        endQuoted(entry.action != nil)
        // As sent to the process (`Mooring-Session`): never the cookie, with which a reader could
        // impersonate the user.
        beginQuoted("session_id")
        if let session = entry.session {
            buffer.append(hex: session.high, digits: 16)
            buffer.append(hex: UInt64(session.low), digits: 8)
        }
        endQuoted(entry.session != nil)
    }

    private mutating func appendMember(
        _ name: StaticString, _ head: Span<UInt8>, _ value: Range<Int>?, atMost limit: Int
    ) {
        buffer.append(",\"")
        buffer.append(name)
        guard let value else { return buffer.append("\":null") }
        buffer.append("\":\"")
        buffer.append(escaping: head.extracting(value.prefix(limit)))
        buffer.append("\"")
    }

    /// Begins a member whose text follows, if there is one.
    private mutating func beginQuoted(_ name: StaticString) {
        buffer.append(",\"")
        buffer.append(name)
        buffer.append("\":\"")
    }

    /// Ends a member; null where no text was written.
    private mutating func endQuoted(_ isWritten: Bool) {
        if isWritten { return buffer.append("\"") }
        buffer.dropLast()
        buffer.append("null")
    }
}
