internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: frames on their way to the client, from all streams of a connection.
extension Frames {
    /// Rounds of sending that one connection has before the others have their turn.
    private static let sendsPerTurn = 16

    /// Sends what the turn has made, one write a connection as a rule.
    func flushAll() {
        for place in agenda.takeUnsent()
        where downstreams.isTaken(place) && downstreams[place].isUnsent {
            downstreams[place].isUnsent = false
            flush(place)
        }
    }

    /// Sends frames until there are none or the client takes no more.
    func flush(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers[place] else { return }
        let serial = downstreams.serial(place)
        for _ in 0..<Self.sendsPerTurn {
            if downstreams[place].output.isEmpty {
                buffers.equip(&downstreams[place].output)
                downstreams[place].output.rewind()
                let room = unsafe UnsafeMutableRawBufferPointer(
                    downstreams[place].output.writable)
                let made = unsafe multiplexer.connection.send(into: room)
                downstreams[place].output.commit(made)
                // Streams may go on as their bytes have left.
                deliverEvents(place, multiplexer)
                guard downstreams.holds(place, serial: serial) else { return }
                if made == 0, !multiplexer.connection.wantsSend {
                    return finishSending(place, multiplexer)
                }
            }
            switch downstreams.write(place) {
            case .moved: continue
            case .wouldBlock:
                return awaitClient(place, multiplexer)
            case .end, .failed:
                return clientEnds.close(place)
            }
        }
        downstreams.noteUnsent(place)
    }

    /// The client takes no more now; what it sends meanwhile does not buy it time.
    private func awaitClient(_ place: Int, _ multiplexer: Multiplexer) {
        downstreams.holdSparingly(place)
        if downstreams[place].wantsWrite { return }
        downstreams.watchWrites(place, true)
        downstreams[place].unsent = -1
        downstreams[place].stalls = 0
        downstreams.setMultiplexerDeadline(
            place, multiplexer, after: plan.settings.timeouts.bodyIdle)
    }

    private func finishSending(_ place: Int, _ multiplexer: Multiplexer) {
        buffers.release(&downstreams[place].output)
        if downstreams[place].wantsWrite {
            downstreams.watchWrites(place, false)
            if multiplexer.places.isEmpty {
                downstreams.setIdleDeadline(place, multiplexer)
            } else {
                downstreams.setMultiplexerDeadline(
                    place, multiplexer, after: plan.settings.timeouts.bodyIdle)
            }
        }
        if multiplexer.isClosing || multiplexer.connection.isFinished {
            multiplexer.isClosing = true
            clientEnds.abandonStreams(Array(multiplexer.places.values))
            clientEnds.endConnection(place, linger: true)
        }
    }
}
