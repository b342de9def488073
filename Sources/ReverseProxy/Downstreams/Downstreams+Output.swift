internal import Exchanges
internal import Reactor

/// Output on its way to a client, which may not take it as fast as it comes.
extension Downstreams {
    /// Sends what is ready for the client.
    func flush(_ place: Int) -> FlushOutcome {
        if !self[place].backlog.isEmpty {
            let outcome = flushBacklog(place)
            if outcome != .done { return outcome }
        }
        let outcome = sendOutput(place)
        if outcome != .done { return outcome }
        buffers.release(&self[place].output)
        if self[place].wantsWrite {
            watchWrites(place, false)
            clearDeadline(place)
        }
        return .done
    }

    /// Sends what is in the output, and only that.
    private func sendOutput(_ place: Int) -> FlushOutcome {
        while !self[place].output.isEmpty {
            switch write(place) {
            case .moved:
                continue
            case .wouldBlock:
                watchWrites(place, true)
                setWritingDeadline(place)
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
    func sendOrStore(_ place: Int, room: Int) -> StoreOutcome {
        if !self[place].wantsWrite {
            switch flush(place) {
            case .done: return .room
            case .broken: return .clientGone
            case .blocked: break
            }
        }
        let waiting = self[place].backlog.bytes + self[place].output.count
        guard waiting < buffers.responseAllowance(streams: streamsSharing(place)) else {
            return .full
        }
        if self[place].output.room >= room { return .room }
        return buffers.append(&self[place].output, to: &self[place].backlog)
            ? .room : .full
    }

    /// Sends the backlog, which came before what is in the output.
    private func flushBacklog(_ place: Int) -> FlushOutcome {
        while !self[place].backlog.isEmpty {
            let newest = self[place].output
            self[place].output = buffers.removeFirst(of: &self[place].backlog)
            let outcome = sendOutput(place)
            if outcome == .done {
                buffers.release(&self[place].output)
            } else {
                buffers.putBack(&self[place].output, to: &self[place].backlog)
            }
            self[place].output = newest
            if outcome != .done { return outcome }
        }
        return .done
    }

    /// The client is behind: where memory is short, what waits for it takes no more than it needs.
    func holdSparingly(_ place: Int) {
        guard buffers.pressure != .none else { return }
        // A request's head stays where it is.
        buffers.shrink(&self[place].input)
        buffers.holdSparingly(&self[place].output)
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
