internal import Exchanges
internal import Reactor

/// Output on its way to a client, which may not take it as fast as it comes.
extension Downstreams {
    /// Sends what is ready for the client.
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

    /// Sends what is in the output, and only that.
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

    /// Sends what is ready for a client, and keeps what it does not take yet.
    ///
    /// While the client is behind, further output goes to the backlog, up to `response_buffer`, or to
    /// less where memory is short.
    ///
    /// - Parameter room: What the next piece of output needs at most.
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

    /// Sends the backlog, which came before what is in the output.
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

    /// The client is behind: where memory is short, what waits for it takes no more than it needs.
    func holdSparingly(_ entry: Int) {
        guard buffers.pressure != .none else { return }
        // A request's head stays where it is.
        buffers.shrink(&self[entry].input)
        buffers.holdSparingly(&self[entry].output)
    }
}

/// What became of output for a client that may be slow.
enum StoreOutcome {
    /// There is room for more.
    case room
    /// Whoever makes the output has to wait for the client.
    case full
    case clientGone
}
