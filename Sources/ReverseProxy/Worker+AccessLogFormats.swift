internal import Backends
internal import HTTPWire
internal import SessionAffinity

/// The access log's other formats: what other programs read.
extension Worker {
    /// Apache's `combined`: `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`.
    func logCombined(_ exchange: Int, _ head: Span<UInt8>, line: Range<Int>) {
        let place = Int(exchanges[exchange].downstream)
        if exchanges[exchange].client == nil, downstreams[place].address == nil {
            // On a unix socket, and so on this machine; readers of the format want an address.
            accessLog.append("127.0.0.1")
        } else {
            appendClient(exchange)
        }
        accessLog.append(" - - [")
        appendApacheTime()
        accessLog.append("] \"")
        appendRequestLine(exchange, head, line)
        accessLog.append("\" ")
        accessLog.append(decimal: UInt64(exchanges[exchange].status))
        accessLog.append(" ")
        let count = exchanges[exchange].bytesToClient
        if count == 0 { accessLog.append("-") } else { accessLog.append(decimal: count) }
        let fields = LoggedFields(head, requestLine: line)
        accessLog.append(" \"")
        appendField(head, fields.referer, atMost: LoggedHead.Limit.referer)
        accessLog.append("\" \"")
        appendField(head, fields.userAgent, atMost: LoggedHead.Limit.userAgent)
        accessLog.append("\"")
    }

    /// `28/Nov/2026:22:23:56 +0000`, of the pieces of an HTTP date.
    private func appendApacheTime() {
        let date = wallClock.httpDate.span
        accessLog.append(date.extracting(5..<7))
        accessLog.append("/")
        accessLog.append(date.extracting(8..<11))
        accessLog.append("/")
        accessLog.append(date.extracting(12..<16))
        accessLog.append(":")
        accessLog.append(date.extracting(17..<25))
        accessLog.append(" +0000")
    }

    private func appendField(_ head: Span<UInt8>, _ value: Range<Int>?, atMost limit: Int) {
        guard let value else { return accessLog.append("-") }
        accessLog.append(escaping: head.extracting(value.prefix(limit)))
    }

    /// One object a line; what there is not is null.
    func logJSON(_ exchange: Int, _ head: Span<UInt8>, line: Range<Int>) {
        accessLog.append("{\"time\":\"")
        appendTime()
        accessLog.append("\",\"client\":\"")
        appendClient(exchange)
        accessLog.append("\",\"request\":")
        if line.isEmpty {
            accessLog.append("null")
        } else {
            accessLog.append("\"")
            appendRequestLine(exchange, head, line)
            accessLog.append("\"")
        }
        let fields = LoggedFields(head, requestLine: line)
        appendMember("host", head, fields.host, atMost: LoggedHead.Limit.host)
        appendMember("user_agent", head, fields.userAgent, atMost: LoggedHead.Limit.userAgent)
        appendMember("referer", head, fields.referer, atMost: LoggedHead.Limit.referer)
        if let generated = exchanges[exchange].generatedID {
            accessLog.append(",\"request_id\":\"")
            accessLog.append(hex: generated.high, digits: 16)
            accessLog.append(hex: generated.low, digits: 16)
            accessLog.append("\"")
        } else {
            appendMember("request_id", head, fields.requestID, atMost: LoggedHead.Limit.requestID)
        }
        appendNumbers(exchange)
        appendPlacement(exchange)
        accessLog.append("}")
    }

    private func appendNumbers(_ exchange: Int) {
        accessLog.append(",\"status\":")
        accessLog.append(decimal: UInt64(exchanges[exchange].status))
        accessLog.append(",\"bytes\":")
        accessLog.append(decimal: exchanges[exchange].bytesToClient)
        accessLog.append(",\"received\":")
        accessLog.append(decimal: exchanges[exchange].requestBodyBytes)
        accessLog.append(",\"duration\":")
        accessLog.append(seconds: now &- exchanges[exchange].startedAt)
        accessLog.append(",\"queue\":")
        appendQueueTime(exchange, missing: "null")
        accessLog.append(",\"first_byte\":")
        appendFirstByteTime(exchange, missing: "null")
    }

    private func appendPlacement(_ exchange: Int) {
        appendQuoted("group") { appendGroup(exchange) }
        appendQuoted("process") { appendProcess(exchange) }
        accessLog.append(",\"cookie\":\"")
        accessLog.append(exchanges[exchange].verdict.word)
        accessLog.append("\"")
        appendQuoted("session") {
            guard let action = action(exchange) else { return false }
            accessLog.append(action)
            return true
        }
        // As the process is told it (`Mooring-Session`): never the cookie, with which one could act.
        appendQuoted("session_id") {
            guard let session = exchanges[exchange].grant?.session else { return false }
            accessLog.append(hex: session.high, digits: 16)
            accessLog.append(hex: UInt64(session.low), digits: 8)
            return true
        }
    }

    private func appendMember(
        _ name: StaticString, _ head: Span<UInt8>, _ value: Range<Int>?, atMost limit: Int
    ) {
        accessLog.append(",\"")
        accessLog.append(name)
        guard let value else { return accessLog.append("\":null") }
        accessLog.append("\":\"")
        accessLog.append(escaping: head.extracting(value.prefix(limit)))
        accessLog.append("\"")
    }

    /// A text that `write` may append; null when it says that there is none.
    private func appendQuoted(_ name: StaticString, _ write: () -> Bool) {
        accessLog.append(",\"")
        accessLog.append(name)
        accessLog.append("\":\"")
        if write() { return accessLog.append("\"") }
        accessLog.dropLast()
        accessLog.append("null")
    }
}
