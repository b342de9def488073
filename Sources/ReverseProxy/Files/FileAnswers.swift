internal import Backends
internal import Exchanges
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Settings

/// Answers a request whose route leads to a folder of files: with what of a file the client needs.
///
/// Belongs to the loop's thread.
final class FileAnswers {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let buffers: Buffers
    private let transfers: FileTransfers
    private let counters: LoopCounters
    private let plan: Plan
    private let logThrottle: LogThrottle
    private let answers: OwnAnswers
    private let clientEnds: ClientEnds
    private let pump: FilePump
    private let finder: FileFinder

    init(_ owners: Owners, answers: OwnAnswers, clientEnds: ClientEnds, pump: FilePump) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        transfers = owners.transfers
        counters = owners.counters
        plan = owners.plan
        logThrottle = owners.shared.logThrottle
        self.answers = answers
        self.clientEnds = clientEnds
        self.pump = pump
        finder = FileFinder(owners)
    }

    /// Answers the exchange of the head just parsed, which is consumed.
    func answer(_ exchange: Int, _ bytes: Span<UInt8>) {
        discardBody(exchange)
        switch exchanges[exchange].method {
        case .get, .head: break
        case .post, .put, .delete, .patch, .options, .connect, .trace, .other:
            return answers.give(exchange, .onlyReading)
        }
        switch finder.find(exchange, bytes) {
        case .file(let file): send(exchange, bytes, file)
        case .folder(let path):
            answers.redirectToFolder(
                exchange, base: answers.base(exchange, bytes),
                mount: exchanges.mount(exchange, bytes), path: path,
                query: bytes.extracting(exchanges.heads.request.query(bytes)))
        case .none: answers.give(exchange, .noFile)
        case .zeroByte: answers.give(exchange, .zeroByte)
        case .failed(let code): refuse(exchange, code)
        }
    }

    /// There is a file that cannot be opened: its owner should know why.
    private func refuse(_ exchange: Int, _ code: Int32) {
        switch code {
        case EXDEV, ELOOP:
            log(exchange, "a link leads out of it, and is not followed")
            answers.give(exchange, .noFile)
        case EACCES, EPERM:
            log(exchange, SystemError.message(code))
            answers.give(exchange, .fileNotPermitted)
        case _ where SystemError.isScarcity(code):
            log(exchange, "\(SystemError.message(code)); \(SystemError.remedy(code))")
            answers.give(exchange, .noResources)
        default:
            log(exchange, SystemError.message(code))
            answers.give(exchange, .fileUnreadable)
        }
    }

    private func log(_ exchange: Int, _ reason: String) {
        let files = plan.settings.routeSettings[Int(exchanges[exchange].route)].files
        logThrottle.note(
            .servedFile, now: exchanges.now,
            "a file below \(files?.path ?? "") that was asked for cannot be opened: \(reason)")
    }

    /// A body means nothing to a file: what of it has arrived is dropped.
    ///
    /// If more follows, the connection ends after the response.
    private func discardBody(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        while !exchanges[exchange].requestBody.isEnded {
            let input = unsafe downstreams[entry].input.bytes
            if input.isEmpty { break }
            switch exchanges[exchange].requestBody.next(input, limit: input.count) {
            case .data(let consumed, let range):
                downstreams[entry].input.consume(consumed)
                exchanges[exchange].requestBodyBytes &+= UInt64(range.count)
            case .needMore(let consumed):
                downstreams[entry].input.consume(consumed)
                downstreams[entry].keepAlive = false
                return
            case .end(let consumed): downstreams[entry].input.consume(consumed)
            case .bad:
                downstreams[entry].keepAlive = false
                return
            }
        }
        if !exchanges[exchange].requestBody.isEnded { downstreams[entry].keepAlive = false }
    }

    /// Sends what the client needs of an open file, which is closed at the end.
    private func send(_ exchange: Int, _ bytes: Span<UInt8>, _ original: ServedFile) {
        exchanges.wallClock.refresh(turn: exchanges.now)
        let type = finder.type
        let picks =
            type.isCompressible && plan.routes.plans[Int(exchanges[exchange].route)].compresses
        var (file, coding) = (original, ContentCoding?.none)
        if picks { (file, coding) = finder.encoded(exchange, bytes, original) }
        let validators = FileValidators(
            size: UInt64(file.size), modifiedNanoseconds: file.modified, inode: file.inode,
            coding: coding, now: Int64(exchanges.wallClock.seconds))
        switch content(exchange, bytes, file, type, validators) {
        case .content(let content):
            var head = FileHead(content, size: file.size, type: type, validators: validators)
            head.coding = coding
            head.varies = picks
            begin(exchange, head, file)
        case .conditionFailed:
            file.close()
            answers.give(exchange, .conditionFailed)
        case .outside:
            file.close()
            let field = Array("Content-Range: bytes */\(file.size)\r\n".utf8)
            answers.give(exchange, .rangeOutside, adding: field)
        }
    }

    private enum Selection {
        case content(FileHead.Content)
        case conditionFailed
        /// No range is in the file.
        case outside
    }

    /// What of the file the client needs.
    private func content(
        _ exchange: Int, _ bytes: Span<UInt8>, _ file: ServedFile, _ type: MediaType,
        _ validators: FileValidators
    ) -> Selection {
        switch exchanges.heads.request.conditions(bytes, on: validators) {
        case .failed: return .conditionFailed
        case .notModified: return .content(.none)
        case .holds: break
        }
        guard exchanges[exchange].method == .get,
            exchanges.heads.request.rangeApplies(bytes, to: validators)
        else { return .content(.whole) }
        switch RangeSelection(exchanges.heads.request, bytes, size: file.size) {
        case .whole: return .content(.whole)
        case .part(let range): return .content(.part(range))
        case .outside: return .outside
        case .parts(let ranges):
            let boundary = (exchanges.identifiers.next(), exchanges.identifiers.next())
            return .content(
                .parts(MultipartRanges(ranges, type: type, size: file.size, boundary: boundary)))
        }
    }

    /// Writes the head, and begins to send the file.
    private func begin(_ exchange: Int, _ described: FileHead, _ file: ServedFile) {
        let entry = Int(exchanges[exchange].downstream)
        var head = described
        head.closes = !downstreams[entry].keepAlive
        head.keepsAlive =
            downstreams[entry].keepAlive && !exchanges[exchange].machine.traits.isHTTP11
        var transfer = FileTransfer(
            file: file, position: 0, end: 0, copies: !downstreams[entry].carrier.takesFiles)
        switch head.content {
        case .whole where exchanges[exchange].method == .get: transfer.end = file.size
        case .part(let range):
            (transfer.position, transfer.end) = (range.lowerBound, range.upperBound)
        case .parts: transfer.isMultipart = true
        case .whole, .none: break
        }
        writeHead(exchange, entry, head)
        let left = transfer.end - transfer.position
        if !transfer.isMultipart, left <= Int64(downstreams[entry].output.room) {
            return sendAtOnce(exchange, entry, transfer)
        }
        guard let index = transfers.begin(transfer) else {
            downstreams[entry].output.rewind()
            file.close()
            return answers.give(exchange, .noResources)
        }
        if case .parts(let parts) = head.content { transfers.parts[index] = parts }
        note(exchange, source: .file(Int32(truncatingIfNeeded: index)))
        exchanges[exchange].machine.fileBegan()
        pump.pumpFile(exchange)
    }

    private func writeHead(_ exchange: Int, _ entry: Int, _ head: FileHead) {
        if !downstreams[entry].output.isEmpty {
            // Unread output must leave enough room.
            _ = buffers.append(&downstreams[entry].output, to: &downstreams[entry].backlog)
        }
        buffers.equip(&downstreams[entry].output)
        let date = exchanges.wallClock.httpDate
        let extra = exchanges.extraFields(exchange, setsCookie: false)
        let fits = downstreams[entry].output.write { sink in
            head.write(date: date.span, extra: extra, into: &sink)
        }
        precondition(fits, "a block has room for the fields of the configuration")
        exchanges[exchange].status = head.status
    }

    /// The file, or what the client needs of it, fits behind the head: one write takes both.
    private func sendAtOnce(_ exchange: Int, _ entry: Int, _ transfer: FileTransfer) {
        var position = transfer.position
        while position < transfer.end {
            let read = transfer.file.read(
                into: &downstreams[entry].output, at: position,
                atMost: Int(transfer.end - position))
            guard case .moved(let count) = read else { break }
            position += Int64(count)
        }
        transfer.file.close()
        // It has become shorter than the head says.
        if position < transfer.end { return clientEnds.abandon(entry) }
        note(exchange, source: .fileSent)
        exchanges[exchange].bytesToClient = UInt64(transfer.end - transfer.position)
        exchanges[exchange].machine.answered()
        clientEnds.finishAnswer(exchange)
    }

    private func note(_ exchange: Int, source: ResponseSource) {
        exchanges[exchange].move(source: source)
        exchanges[exchange].firstByteAt = exchanges.now
        counters.add(.files)
    }
}
