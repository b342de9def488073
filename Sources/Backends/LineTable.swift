/// A session waiting for a process.
struct LineKey: Hashable, Sendable {
    var session: SessionID
    var entry: UInt32
}

/// The requests of one session that wait for one process.
struct Line: Sendable {
    /// Nil: a request without a session, which is a line of its own.
    var key: LineKey?
    var first: UInt32
    var last: UInt32
    /// When the session began to wait for its turn.
    var since: MonotonicInstant
    fileprivate(set) var next: UInt32?
    fileprivate(set) var previous: UInt32?
}

/// The sessions that wait for one process, in the order of their turns.
struct TurnQueue: Sendable {
    fileprivate(set) var first: UInt32?
    fileprivate(set) var last: UInt32?
}

/// All lines of a group in one slab, linked into the turns of its processes.
struct LineTable: Sendable {
    private var lines: [Line] = []
    private var free: [UInt32] = []
    private var indices: [LineKey: UInt32] = [:]

    var count: Int { lines.count - free.count }

    subscript(index: UInt32) -> Line {
        get { lines[Int(index)] }
        _modify { yield &lines[Int(index)] }
    }

    func find(_ key: LineKey?) -> UInt32? { key.flatMap { indices[$0] } }

    mutating func insert(_ line: Line) -> UInt32 {
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
            lines[Int(index)] = line
        } else {
            index = UInt32(lines.count)
            lines.append(line)
        }
        if let key = line.key { indices[key] = index }
        return index
    }

    /// Frees the entry of a line without a turn.
    mutating func remove(_ index: UInt32) {
        if let key = lines[Int(index)].key { indices[key] = nil }
        free.append(index)
    }

    /// Inserts a line by waiting time: almost always at the end.
    mutating func link(_ index: UInt32, into turns: inout TurnQueue) {
        var ahead = turns.last
        while let candidate = ahead, lines[Int(candidate)].since > lines[Int(index)].since {
            ahead = lines[Int(candidate)].previous
        }
        let behind = ahead.map { lines[Int($0)].next } ?? turns.first
        lines[Int(index)].previous = ahead
        lines[Int(index)].next = behind
        if let ahead { lines[Int(ahead)].next = index } else { turns.first = index }
        if let behind { lines[Int(behind)].previous = index } else { turns.last = index }
    }

    mutating func unlink(_ index: UInt32, from turns: inout TurnQueue) {
        let next = lines[Int(index)].next
        let previous = lines[Int(index)].previous
        if let previous { lines[Int(previous)].next = next } else { turns.first = next }
        if let next { lines[Int(next)].previous = previous } else { turns.last = previous }
        lines[Int(index)].next = nil
        lines[Int(index)].previous = nil
    }
}
