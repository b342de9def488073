internal import Exchanges
internal import Reactor

/// Output for a client, which may accept it slower than it is produced.
extension Downstreams {
    /// Sends the pending output.
    func flush(_ entry: Int) -> FlushOutcome {
        if !self[entry].backlog.isEmpty {
            let outcome = flushBacklog(entry)
            if outcome != .done { return outcome }
        }
        let outcome = sendOutput(entry)
        if outcome != .done { return outcome }
        buffers.release(&self[entry].output)
        if self[entry].wantsWrite {
            watchWrites(entry, false)
            clearDeadline(entry)
        }
        return .done
    }

    /// Sends only what is in `output`.
    private func sendOutput(_ entry: Int) -> FlushOutcome {
        while !self[entry].output.isEmpty {
            switch write(entry) {
            case .moved:
                continue
            case .wouldBlock:
                watchWrites(entry, true)
                setWritingDeadline(entry)
                return .blocked
            case .end, .failed:
                return .broken
            }
        }
        return .done
    }

    /// Sends the pending output of a client, and keeps what it does not accept yet.
    ///
    /// While the client is behind, further output goes to the backlog, up to `response_buffer`, or
    /// less if memory is short.
    ///
    /// - Parameter room: the most that the next piece of output needs.
    func sendOrStore(_ entry: Int, room: Int) -> StoreOutcome {
        if !self[entry].wantsWrite {
            switch flush(entry) {
            case .done: return .room
            case .broken: return .clientGone
            case .blocked: break
            }
        }
        let waiting = self[entry].backlog.bytes + self[entry].output.count
        guard waiting < buffers.responseAllowance(streams: streamsSharing(entry)) else {
            return .full
        }
        if self[entry].output.room >= room { return .room }
        return buffers.append(&self[entry].output, to: &self[entry].backlog)
            ? .room : .full
    }

    /// Sends the backlog, which precedes `output`.
    private func flushBacklog(_ entry: Int) -> FlushOutcome {
        while !self[entry].backlog.isEmpty {
            let newest = self[entry].output
            self[entry].output = buffers.removeFirst(of: &self[entry].backlog)
            let outcome = sendOutput(entry)
            if outcome == .done {
                buffers.release(&self[entry].output)
            } else {
                buffers.putBack(&self[entry].output, to: &self[entry].backlog)
            }
            self[entry].output = newest
            if outcome != .done { return outcome }
        }
        return .done
    }

    /// The client is behind: if memory is short, shrinks its buffers to their contents.
    func holdSparingly(_ entry: Int) {
        guard buffers.pressure != .none else { return }
        // A request's head keeps its offset.
        buffers.shrink(&self[entry].input)
        buffers.holdSparingly(&self[entry].output)
    }
}

/// The result of storing output for a slow client.
enum StoreOutcome {
    /// There is room for more.
    case room
    /// The producer must wait for the client.
    case full
    case clientGone
}
