internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: sending frames of all streams of a connection.
extension Frames {
    /// How many writes one connection has before the others have their turn.
    private static let sendsPerTurn = 16

    /// Sends the frames of this turn, usually with one write per connection.
    func flushAll() {
        for entry in agenda.takeUnsent()
        where downstreams.isTaken(entry) && downstreams[entry].isUnsent {
            downstreams[entry].isUnsent = false
            flush(entry)
        }
    }

    /// Sends frames until there are none or the client takes no more.
    func flush(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers[entry] else { return }
        let serial = downstreams.serial(entry)
        for _ in 0..<Self.sendsPerTurn {
            if downstreams[entry].output.isEmpty {
                buffers.equip(&downstreams[entry].output)
                downstreams[entry].output.rewind()
                let room = unsafe UnsafeMutableRawBufferPointer(
                    downstreams[entry].output.writable)
                let made = unsafe multiplexer.connection.send(into: room)
                downstreams[entry].output.commit(made)
                // Sent bytes may unblock streams.
                deliverEvents(entry, multiplexer)
                guard downstreams.holds(entry, serial: serial) else { return }
                if made == 0, !multiplexer.connection.wantsSend {
                    return finishSending(entry, multiplexer)
                }
            }
            switch downstreams.write(entry) {
            case .moved: continue
            case .wouldBlock:
                return awaitClient(entry, multiplexer)
            case .end, .failed:
                return clientEnds.close(entry)
            }
        }
        downstreams.noteUnsent(entry)
    }

    /// The client accepts no more now; what it sends meanwhile does not extend its deadline.
    private func awaitClient(_ entry: Int, _ multiplexer: Multiplexer) {
        downstreams.holdSparingly(entry)
        if downstreams[entry].wantsWrite { return }
        downstreams.watchWrites(entry, true)
        downstreams[entry].unsent = -1
        downstreams[entry].stalls = 0
        downstreams.setMultiplexerDeadline(
            entry, multiplexer, after: plan.settings.timeouts.bodyIdle)
    }

    private func finishSending(_ entry: Int, _ multiplexer: Multiplexer) {
        buffers.release(&downstreams[entry].output)
        if downstreams[entry].wantsWrite {
            downstreams.watchWrites(entry, false)
            if multiplexer.entries.isEmpty {
                downstreams.setIdleDeadline(entry, multiplexer)
            } else {
                downstreams.setMultiplexerDeadline(
                    entry, multiplexer, after: plan.settings.timeouts.bodyIdle)
            }
        }
        if multiplexer.isClosing || multiplexer.connection.isFinished {
            multiplexer.isClosing = true
            clientEnds.abandonStreams(Array(multiplexer.entries.values))
            clientEnds.endConnection(entry, linger: true)
        }
    }
}
