internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The facts of an exchange for the access log.
extension ExchangeTable {
    func logExchange(_ exchange: Int) {
        guard log.isOn else { return }
        wallClock.refresh(turn: now)
        let entry = logEntry(exchange)
        if entry.isTunnel {
            log.writeKept(entry, of: exchange, clock: wallClock)
            return
        }
        let whole = unsafe downstreams[Int(self[exchange].downstream)].input.wholeBytes
        let line = self[exchange].requestLine.range
        // Only the head: a body follows it.
        let end = max(self[exchange].headLength, line.upperBound)
        if line.isEmpty || end > whole.count {
            log.write(entry, head: Span(), line: 0..<0, clock: wallClock)
        } else {
            log.write(
                entry, head: whole.extracting(..<end), line: line, clock: wallClock)
        }
    }

    /// The block with the request's head is needed elsewhere, but the log needs the head at the
    /// end.
    func keepHeadForLog(_ exchange: Int) {
        guard log.isOn else { return }
        let line = self[exchange].requestLine.range
        let end = max(self[exchange].headLength, line.upperBound)
        let whole = unsafe downstreams[Int(self[exchange].downstream)].input.wholeBytes
        guard end <= whole.count else { return }
        log.keepHead(whole.extracting(..<end), line: line, of: exchange)
    }

    private func logEntry(_ exchange: Int) -> LogEntry {
        let client = Int(self[exchange].downstream)
        var entry = LogEntry(client: shownClient(exchange, client))
        entry.isAnonymous =
            self[exchange].client == nil && downstreams[client].address == nil
        entry.isStream = downstreams[client].carrier.isStream
        entry.isTunnel = self[exchange].responsePhase == .tunnel
        entry.status = self[exchange].status
        entry.bytesToClient = self[exchange].bytesToClient
        entry.bytesFromClient = self[exchange].requestBodyBytes
        entry.startedAt = self[exchange].startedAt
        entry.dequeuedAt = self[exchange].dequeuedAt
        entry.firstByteAt = self[exchange].firstByteAt
        entry.endedAt = now
        entry.group = Int(self[exchange].group)
        if let grant = self[exchange].machine.grant {
            entry.process = upstreams.pools.label(of: grant.process, group: entry.group)
            entry.session = grant.session
        }
        entry.verdict = self[exchange].verdict
        entry.action = action(exchange)
        entry.generatedID = self[exchange].generatedID
        return entry
    }

    private func shownClient(_ exchange: Int, _ connection: Int) -> PeerText {
        let client = self[exchange].client
        if client == downstreams[connection].address { return downstreams[connection].peer }
        // A trusted proxy has named its client.
        return PeerText(client ?? downstreams[connection].address, isSecure: false)
    }

    /// What was done with the session, or that a file was sent; nil: neither was involved.
    private func action(_ exchange: Int) -> StaticString? {
        if self[exchange].source.isFile { return "file" }
        if self[exchange].refused { return Refusal.word }
        guard let grant = self[exchange].machine.grant else { return nil }
        // Without a response of its process the client got no cookie, and the session ended.
        if grant.placed == .pinned, self[exchange].source == .ownAnswer {
            return Grant.Placed.unpinned.word
        }
        return grant.placed.word
    }
}
