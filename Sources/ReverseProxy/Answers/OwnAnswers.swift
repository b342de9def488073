internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Sends Mooring's own responses: errors and pages, redirects, OPTIONS.
///
/// Belongs to the loop's thread. After a call the exchange is over, or waits for its client to read
/// the response. Extension: the content.
final class OwnAnswers {
    let exchanges: ExchangeTable
    let downstreams: Downstreams
    private let buffers: Buffers
    let plan: Plan
    private let logThrottle: LogThrottle
    private let slots: Slots
    private let processEnds: ProcessEnds
    private let clientEnds: ClientEnds

    init(_ owners: Owners, slots: Slots, processEnds: ProcessEnds, clientEnds: ClientEnds) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        plan = owners.plan
        logThrottle = owners.shared.logThrottle
        self.slots = slots
        self.processEnds = processEnds
        self.clientEnds = clientEnds
    }

    /// Sends the response for an exchange's problem.
    func give(_ exchange: Int, to problem: Problem) {
        let group = Int(exchanges[exchange].group)
        let isSpawned = group >= 0 && plan.settings.groups[group].isSpawned
        let (route, codec) = (Int(exchanges[exchange].route), Int(exchanges[exchange].codec))
        let isOver =
            switch problem {
            case .refusal(let refusal): refusal.reason == .sessionLost
            default: false
            }
        if isOver, route >= 0, !plan.routes.plans[route].carrier.isCookie {
            // There is no cookie to delete: the client itself has to start a new session.
            return give(exchange, .sessionEnded)
        }
        // The session is over: with its cookie, every further request would be refused.
        give(
            exchange, OwnAnswer(problem, isSpawned: isSpawned),
            adding: isOver && codec >= 0 ? plan.routes.codecs[codec].forgetField : [])
    }

    /// Answers with 502 instead of an invalid response, and logs what is wrong with it.
    func giveBadResponse(_ exchange: Int, _ reason: String) {
        logThrottle.note(
            .badResponse, of: Int(exchanges[exchange].group), now: exchanges.now,
            badResponse(exchange, reason))
        give(exchange, to: .badResponse)
    }

    /// Answers an exchange whose client has seen nothing yet; releases what it holds.
    ///
    /// - Parameter lines: more field lines, each with its end.
    func give(_ exchange: Int, _ answer: OwnAnswer, adding lines: [UInt8] = []) {
        let entry = Int(exchanges[exchange].downstream)
        slots.leaveQueue(exchange)
        processEnds.end(exchange, .abandoned)
        if answer.closes { downstreams[entry].keepAlive = false }
        beginAnswer(exchange, status: answer.status)
        let preference = preference(exchange)
        let content = content(exchange, answer, preference)
        let isHead = exchanges[exchange].method == .head
        let date = exchanges.wallClock.httpDate
        var sink = unsafe ByteSink(downstreams[entry].output.writable)
        var described = ErrorAnswer(
            status: answer.status, error: answer.error, details: answer.details,
            retryAfterSeconds: answer.retryAfterSeconds,
            closes: !downstreams[entry].keepAlive, isHead: isHead,
            type: ErrorPage.mediaType(preference.form))
        if let methods = answer.methods { described.methods = methods }
        described.write(body: content.body.span, date: date.span, into: &sink) { sink in
            if content.refreshes {
                sink.append("Refresh: ")
                sink.append(decimal: UInt64(answer.retryAfterSeconds))
                sink.append("\r\n")
            }
            sink.append(lines.span)
            writeOwnFields(exchange, into: &sink)
        }
        exchanges[exchange].bytesToClient = isHead ? 0 : UInt64(content.body.count)
        send(exchange, sink)
    }

    /// Answers an OPTIONS that must not be forwarded (RFC 9110 sections 7.6.2 and 9.3.7).
    func giveOptions(_ exchange: Int, _ details: StaticString) {
        let entry = Int(exchanges[exchange].downstream)
        beginAnswer(exchange, status: 200)
        let date = exchanges.wallClock.httpDate
        var sink = unsafe ByteSink(downstreams[entry].output.writable)
        OptionsAnswer.write(
            details: details, date: date.span, closes: !downstreams[entry].keepAlive, into: &sink
        ) { sink in writeOwnFields(exchange, into: &sink) }
        send(exchange, sink)
    }

    /// Redirects a client to https; its head is the one parsed last.
    ///
    /// - Parameter host: the requested authority, in the head's bytes.
    func redirect(_ exchange: Int, _ bytes: Span<UInt8>, host: Range<Int>) {
        guard !host.isEmpty else { return give(exchange, .noHost) }
        let entry = Int(exchanges[exchange].downstream)
        beginAnswer(exchange, status: 308)
        let date = exchanges.wallClock.httpDate
        var sink = unsafe ByteSink(downstreams[entry].output.writable)
        RedirectAnswer(port: plan.settings.securePort, closes: !downstreams[entry].keepAlive).write(
            host: bytes.extracting(host),
            path: bytes.extracting(exchanges.heads.request.path.range),
            date: date.span, into: &sink
        ) { sink in writeOwnFields(exchange, into: &sink) }
        send(exchange, sink)
    }

    /// Sends a client to a folder by the name with a slash at its end.
    ///
    /// - Parameters:
    ///   - base: what trusted proxies have taken off the path, as they say it.
    ///   - mount: what stands before the path, decoded as that.
    ///   - query: as sent.
    func redirectToFolder(
        _ exchange: Int, base: [UInt8], mount: [UInt8], path: [UInt8], query: Span<UInt8>
    ) {
        let entry = Int(exchanges[exchange].downstream)
        beginAnswer(exchange, status: 301)
        let date = exchanges.wallClock.httpDate
        var sink = unsafe ByteSink(downstreams[entry].output.writable)
        FolderAnswer(closes: !downstreams[entry].keepAlive).write(
            base: base.span, mount: mount.span, path: path.span, query: query, date: date.span,
            into: &sink
        ) { sink in writeOwnFields(exchange, into: &sink) }
        send(exchange, sink)
    }

    /// Detaches the exchange from its process and makes room for a response in the output.
    private func beginAnswer(_ exchange: Int, status: UInt16) {
        let entry = Int(exchanges[exchange].downstream)
        if !exchanges[exchange].requestBody.isEnded || !exchanges[exchange].machine.traits.isHTTP11
        {
            downstreams[entry].keepAlive = false
        }
        exchanges[exchange].move(source: .ownAnswer)
        exchanges[exchange].machine.answered()
        exchanges[exchange].status = status
        exchanges.wallClock.refresh(turn: exchanges.now)
        if !downstreams[entry].output.isEmpty {
            // Unread 1xx heads must leave enough room.
            _ = buffers.append(&downstreams[entry].output, to: &downstreams[entry].backlog)
        }
        buffers.equip(&downstreams[entry].output)
    }

    private func send(_ exchange: Int, _ sink: borrowing ByteSink) {
        let entry = Int(exchanges[exchange].downstream)
        if sink.overflowed { return clientEnds.abandon(entry) }
        downstreams[entry].output.commit(sink.count)
        clientEnds.finishAnswer(exchange)
    }
}
