internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// The parts of a line that every format has.
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
        if entry.dequeuedAt == 0 {
            buffer.append(missing)
        } else {
            buffer.append(seconds: entry.dequeuedAt &- entry.startedAt)
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
