internal import Backends
internal import HTTPWire
internal import Reactor
internal import SessionAffinity

/// One line a request, in the format that was chosen.
extension Worker {
    func logExchange(_ exchange: Int) {
        guard accessLog.isOn else { return }
        wallClock.refresh(turn: now)
        if exchanges[exchange].responsePhase == .tunnel {
            let head = tunnelHeads[exchange] ?? LoggedHead()
            log(exchange, head.bytes.span, line: head.line)
        } else {
            let whole = unsafe downstreams[Int(exchanges[exchange].downstream)].input.whole
            let line = exchanges[exchange].requestLine.range
            // No longer than the head: what follows is a body.
            let end = max(exchanges[exchange].headLength, line.upperBound)
            if line.isEmpty || end > whole.count {
                log(exchange, Span(), line: 0..<0)
            } else {
                unsafe log(exchange, whole.span.extracting(..<end), line: line)
            }
        }
        accessLog.endLine(now: now)
    }

    /// The block with the request's head is wanted elsewhere; the log wants it at the end.
    func keepHeadForLog(_ exchange: Int) {
        guard accessLog.isOn else { return }
        let line = exchanges[exchange].requestLine.range
        let end = max(exchanges[exchange].headLength, line.upperBound)
        let whole = unsafe downstreams[Int(exchanges[exchange].downstream)].input.whole
        guard end <= whole.count else { return }
        tunnelHeads[exchange] = unsafe LoggedHead(
            whole.span.extracting(..<end), requestLine: line,
            keepsFields: accessLog.format != .mooring)
    }

    private func log(_ exchange: Int, _ head: Span<UInt8>, line: Range<Int>) {
        switch accessLog.format {
        case .mooring: logPlain(exchange, head, line: line)
        case .combined: logCombined(exchange, head, line: line)
        case .json: logJSON(exchange, head, line: line)
        }
    }

    private func logPlain(_ exchange: Int, _ head: Span<UInt8>, line: Range<Int>) {
        appendTime()
        accessLog.append(" ")
        appendClient(exchange)
        accessLog.append(" \"")
        appendRequestLine(exchange, head, line)
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
        appendQueueTime(exchange, missing: "-")
        accessLog.append(" ")
        appendFirstByteTime(exchange, missing: "-")
        accessLog.append(" ")
        if !appendGroup(exchange) { accessLog.append("-") }
        accessLog.append(" ")
        if !appendProcess(exchange) { accessLog.append("-") }
        accessLog.append(" ")
        accessLog.append(exchanges[exchange].verdict.word)
        accessLog.append(" ")
        accessLog.append(action(exchange) ?? "-")
    }
}

/// The pieces of a line that every format has.
extension Worker {
    func appendTime() {
        accessLog.append(wallClock.timestamp.span)
        accessLog.append(".")
        accessLog.append(padded: UInt64(wallClock.milliseconds), digits: 3)
        accessLog.append("Z")
    }

    func appendClient(_ exchange: Int) {
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

    /// A stream's request line is one that was made for it: the client spoke HTTP/2.
    func appendRequestLine(_ exchange: Int, _ head: Span<UInt8>, _ line: Range<Int>) {
        guard !line.isEmpty else { return accessLog.append("-") }
        let version = 8
        let end = line.upperBound
        let place = Int(exchanges[exchange].downstream)
        let shown = line.lowerBound..<min(end, line.lowerBound + LoggedHead.Limit.requestLine)
        guard downstreams[place].carrier == .stream, shown.upperBound == end,
            line.count > version, head[end - version] == UInt8(ascii: "H")
        else {
            return accessLog.append(escaping: head.extracting(shown))
        }
        accessLog.append(escaping: head.extracting(line.lowerBound..<end - version))
        accessLog.append("HTTP/2.0")
    }

    func appendQueueTime(_ exchange: Int, missing: StaticString) {
        if exchanges[exchange].grantedAt == 0 {
            accessLog.append(missing)
        } else {
            accessLog.append(
                seconds: exchanges[exchange].grantedAt &- exchanges[exchange].startedAt)
        }
    }

    func appendFirstByteTime(_ exchange: Int, missing: StaticString) {
        if exchanges[exchange].firstByteAt == 0 {
            accessLog.append(missing)
        } else {
            accessLog.append(
                seconds: exchanges[exchange].firstByteAt &- exchanges[exchange].startedAt)
        }
    }

    /// False: the request got as far as no group.
    func appendGroup(_ exchange: Int) -> Bool {
        let group = exchanges[exchange].group
        guard group >= 0 else { return false }
        accessLog.append(groupNames[Int(group)])
        return true
    }

    /// False: the request was given to no process.
    func appendProcess(_ exchange: Int) -> Bool {
        guard let grant = exchanges[exchange].grant,
            let label = pools.label(
                of: grant.process, group: Int(exchanges[exchange].group))
        else { return false }
        accessLog.append(escaping: label.bytes.span.extracting(label.range))
        return true
    }

    /// What was done with the session; nil: the request got as far as no process.
    func action(_ exchange: Int) -> StaticString? {
        if exchanges[exchange].refused { return "refused" }
        switch exchanges[exchange].grant?.placed {
        case .kept: return "kept"
        case .pinned: return "pinned"
        case .moved: return "moved"
        case .unpinned: return "unpinned"
        case nil: return nil
        }
    }
}
