/// Turns: sessions that wait for one process are served round-robin, one request each.
///
/// So a page with two hundred parts delays another visitor by one part, not by all.
extension WaiterTable {
    /// Appends a waiter to its session's line; a session that was not waiting yet gets its turn.
    mutating func joinLine(_ index: UInt32, at entry: UInt32, _ turns: inout TurnQueue) {
        let since = self[index].since
        let key = self[index].intent.session.map { LineKey(session: $0, entry: entry) }
        guard let line = lines.find(key) else {
            let line = lines.insert(Line(key: key, first: index, last: index, since: since))
            self[index].line = line
            lines.link(line, into: &turns)
            return
        }
        var ahead: UInt32? = lines[line].last
        while let candidate = ahead, self[candidate].since > since {
            ahead = self[candidate].previousInLine
        }
        let behind = ahead.map { self[$0].nextInLine } ?? lines[line].first
        self[index].line = line
        self[index].previousInLine = ahead
        self[index].nextInLine = behind
        if let ahead { self[ahead].nextInLine = index } else { lines[line].first = index }
        if let behind { self[behind].previousInLine = index } else { lines[line].last = index }
    }

    /// Removes a waiter from its session's line.
    ///
    /// - Parameter servedAt: its session has had its turn, and waits for the next one from then on;
    ///   nil: the waiter leaves unserved, and its session's next waiter takes the turn.
    mutating func leaveLine(
        _ index: UInt32, _ turns: inout TurnQueue, servedAt: MonotonicInstant?
    ) {
        guard let line = self[index].line else {
            preconditionFailure("each waiter for a process has a line")
        }
        let next = self[index].nextInLine
        let previous = self[index].previousInLine
        self[index].line = nil
        self[index].nextInLine = nil
        self[index].previousInLine = nil
        if next == nil, previous == nil {
            lines.unlink(line, from: &turns)
            return lines.remove(line)
        }
        if let previous {
            self[previous].nextInLine = next
        } else if let next {
            lines[line].first = next
        }
        if let next {
            self[next].previousInLine = previous
        } else if let previous {
            lines[line].last = previous
        }
        guard let servedAt else { return }
        lines.unlink(line, from: &turns)
        lines[line].since = servedAt
        lines.link(line, into: &turns)
    }

    /// The next session's waiter, and since when that session has waited for its turn; nil: the
    /// queue is empty.
    func nextTurn(of turns: TurnQueue) -> (waiter: UInt32, since: MonotonicInstant)? {
        turns.first.map { (lines[$0].first, lines[$0].since) }
    }

    /// The first violated rule about the turns of one process; nil: none.
    ///
    /// - Parameter count: how many wait for the process.
    func brokenTurn(_ turns: TurnQueue, count: Int) -> String? {
        var found = 0
        var since = MonotonicInstant(nanoseconds: .min)
        var next = turns.first
        while let line = next {
            if lines[line].since < since { return "a session has its turn too late" }
            since = lines[line].since
            var waiter: UInt32? = lines[line].first
            while let index = waiter {
                if self[index].line != line { return "a waiter stands in a stranger's line" }
                found += 1
                if found > count { return "a line has more waiters than the queue" }
                waiter = self[index].nextInLine
            }
            next = lines[line].next
        }
        return found == count ? nil : "\(found) of \(count) waiters have a turn"
    }
}
