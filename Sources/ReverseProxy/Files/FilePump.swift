internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// From a file to the client, as fast as the client takes it.
///
/// Belongs to the loop's thread. A slow client holds the descriptor and the head of its request,
/// and no block: what it has not taken is read again. Extension: writing to the client.
final class FilePump {
    /// How many bytes one client gets before the others have their turn.
    private static let bytesPerTurn = 1024 * 1024
    /// The same where bytes are copied, and sealed perhaps.
    private static let copiedPerTurn = 256 * 1024
    /// Reading into less room is not worth the system call.
    static let leastRoom = 1024

    let exchanges: ExchangeTable
    let downstreams: Downstreams
    let buffers: Buffers
    let transfers: FileTransfers
    private let clientEnds: ClientEnds

    init(_ owners: Owners, clientEnds: ClientEnds) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        transfers = owners.transfers
        self.clientEnds = clientEnds
    }

    /// The client of a transfer can be written to, or it is the transfer's turn.
    ///
    /// - Parameter isTurn: whether it was postponed, and no event has come.
    func clientEvent(_ exchange: Int, isTurn: Bool) {
        guard let transfer = exchanges[exchange].source.transfer,
            isTurn == transfers[transfer].isPostponed
        else { return }
        pumpFile(exchange)
    }

    /// Moves as much as the client takes now.
    func pumpFile(_ exchange: Int) {
        guard let transfer = exchanges[exchange].source.transfer else { return }
        let entry = Int(exchanges[exchange].downstream)
        transfers[transfer].isPostponed = false
        var left = transfers[transfer].copies ? Self.copiedPerTurn : Self.bytesPerTurn
        while true {
            let isBetween = transfers[transfer].position == transfers[transfer].end
            if isBetween, isOver(transfer) { return finish(exchange, transfer) }
            if left <= 0 { return postpone(entry, transfer) }
            let moved: Transfer
            if isBetween {
                moved = beginPart(exchange, entry, transfer)
            } else if transfers[transfer].copies {
                moved = copy(exchange, entry, transfer, atMost: left)
            } else {
                moved = send(exchange, entry, transfer, atMost: left)
            }
            switch moved {
            case .moved(let count): left -= count
            case .wouldBlock: return hold(entry, transfer)
            // The file has become shorter than its head says.
            case .end: return clientEnds.cutShort(exchange)
            case .failed: return clientEnds.abandon(entry)
            }
        }
    }

    private func isOver(_ transfer: Int) -> Bool {
        !transfers[transfer].isMultipart || transfers.parts[transfer]?.isOver ?? true
    }

    /// The last bytes are in the output, or in the socket.
    private func finish(_ exchange: Int, _ transfer: Int) {
        transfers.end(transfer)
        exchanges[exchange].move(source: .fileSent)
        exchanges[exchange].machine.fileEnded()
        clientEnds.finishAnswer(exchange)
    }

    private func postpone(_ entry: Int, _ transfer: Int) {
        transfers[transfer].isPostponed = true
        downstreams.setWritingDeadline(entry)
        downstreams.postpone(entry)
    }

    /// The client is slow: gives back what can be read again.
    private func hold(_ entry: Int, _ transfer: Int) {
        let waiting = downstreams[entry].output.count
        if waiting <= transfers[transfer].inOutput {
            transfers[transfer].position -= Int64(waiting)
            exchanges[Int(downstreams[entry].exchange)].bytesToClient &-= UInt64(waiting)
            transfers[transfer].inOutput = 0
            buffers.release(&downstreams[entry].output)
        }
        buffers.shrink(&downstreams[entry].input)
    }
}
