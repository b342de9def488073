internal import Backends
internal import HTTPWire
internal import Reactor
internal import SessionAffinity

/// One line a request, in text or JSON.
extension Worker {
    /// The request line in the log is cut at this length.
    static let requestLineLimit = 2048

    func logExchange(_ exchange: Int) {
        guard accessLog.isOn else { return }
        wallClock.refresh(turn: now)
        switch accessLog.format {
        case .text: logText(exchange)
        case .json: logJSON(exchange)
        }
        accessLog.endLine(now: now)
    }

    private func logText(_ exchange: Int) {
        appendTime()
        accessLog.append(" ")
        appendClient(exchange)
        accessLog.append(" \"")
        appendRequestLine(exchange)
        accessLog.append("\" ")
        accessLog.append(decimal: UInt64(exchanges[exchange].status))
        accessLog.append(" ")
        accessLog.append(decimal: exchanges[exchange].bytesToClient)
        if exchanges[exchange].responsePhase == .tunnel {
            accessLog.append("/")
            accessLog.append(decimal: exchanges[exchange].requestBodyBytes)
        }
        accessLog.append(" ")
        accessLog.append(seconds: now &- exchanges[exchange].startedAt)
        accessLog.append(" ")
        appendQueueTime(exchange)
        accessLog.append(" ")
        appendFirstByteTime(exchange)
        accessLog.append(" ")
        appendGroup(exchange)
        accessLog.append(" ")
        appendProcess(exchange)
        accessLog.append(" ")
        accessLog.append(word(exchanges[exchange].verdict))
        accessLog.append(" ")
        accessLog.append(placed(exchange))
    }

    private func logJSON(_ exchange: Int) {
        accessLog.append("{\"time\":\"")
        appendTime()
        accessLog.append("\",\"client\":\"")
        appendClient(exchange)
        accessLog.append("\",\"request\":\"")
        appendRequestLine(exchange)
        accessLog.append("\",\"status\":")
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
        accessLog.append(",\"group\":\"")
        appendGroup(exchange)
        accessLog.append("\",\"process\":\"")
        appendProcess(exchange)
        accessLog.append("\",\"cookie\":\"")
        accessLog.append(word(exchanges[exchange].verdict))
        accessLog.append("\",\"session\":\"")
        accessLog.append(placed(exchange))
        accessLog.append("\"}")
    }

    private func appendTime() {
        accessLog.append(wallClock.timestamp.span)
        accessLog.append(".")
        accessLog.append(padded: UInt64(wallClock.milliseconds), digits: 3)
        accessLog.append("Z")
    }

    private func appendClient(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        var client = exchanges[exchange].client
        if client == downstreams[place].address {
            let peer = downstreams[place].peer
            return accessLog.append(peer.host.span.extracting(0..<peer.hostCount))
        }
        // A trusted proxy has spoken for somebody.
        if client == nil { client = downstreams[place].address }
        let text = PeerText(client, isSecure: false)
        accessLog.append(text.host.span.extracting(0..<text.hostCount))
    }

    private func appendRequestLine(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        let isStream = downstreams[place].carrier == .stream
        if exchanges[exchange].responsePhase == .tunnel {
            let line = tunnelLines[exchange] ?? []
            return append(requestLine: line.span, isStream: isStream)
        }
        let line = exchanges[exchange].requestLine.range
        let whole = unsafe downstreams[place].input.whole
        guard !line.isEmpty, line.upperBound <= whole.count else {
            accessLog.append("-")
            return
        }
        let shown = line.lowerBound..<min(line.upperBound, line.lowerBound + Self.requestLineLimit)
        unsafe append(requestLine: whole.span.extracting(shown), isStream: isStream)
    }

    /// A stream's request line is one that was made for it: the client spoke HTTP/2.
    private func append(requestLine line: Span<UInt8>, isStream: Bool) {
        let version = 8
        guard isStream, line.count > version, line[line.count - version] == UInt8(ascii: "H") else {
            return accessLog.append(escaping: line)
        }
        accessLog.append(escaping: line.extracting(..<(line.count - version)))
        accessLog.append("HTTP/2.0")
    }

    private func appendQueueTime(_ exchange: Int, missing: StaticString = "-") {
        if exchanges[exchange].grantedAt == 0 {
            accessLog.append(missing)
        } else {
            accessLog.append(
                seconds: exchanges[exchange].grantedAt &- exchanges[exchange].startedAt)
        }
    }

    private func appendFirstByteTime(_ exchange: Int, missing: StaticString = "-") {
        if exchanges[exchange].firstByteAt == 0 {
            accessLog.append(missing)
        } else {
            accessLog.append(
                seconds: exchanges[exchange].firstByteAt &- exchanges[exchange].startedAt)
        }
    }

    private func appendGroup(_ exchange: Int) {
        let group = exchanges[exchange].group
        if group >= 0 {
            accessLog.append(groupNames[Int(group)])
        } else {
            accessLog.append("-")
        }
    }

    private func appendProcess(_ exchange: Int) {
        guard let grant = exchanges[exchange].grant,
            let label = pools.label(
                of: grant.process, group: Int(exchanges[exchange].group))
        else {
            accessLog.append("-")
            return
        }
        accessLog.append(escaping: label.bytes.span.extracting(label.range))
    }

    /// A good cookie whose process is gone is told apart from one that is kept.
    private func word(_ verdict: Verdict) -> StaticString { verdict.word }

    private func placed(_ exchange: Int) -> StaticString {
        if exchanges[exchange].refused { return "refused" }
        switch exchanges[exchange].grant?.placed {
        case .kept: return "kept"
        case .pinned: return "pinned"
        case .moved: return "moved"
        case .unpinned: return "unpinned"
        case nil: return "-"
        }
    }
}
