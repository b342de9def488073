internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import Settings

/// Parses response heads, and renders heads with the fields that are added to them.
///
/// Belongs to the loop's thread.
final class Heads {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let upstreams: Upstreams
    private let buffers: Buffers
    private let counters: LoopCounters
    private let plan: Plan
    private let carriers: SessionCarriers
    private let parameters: FastCGIHeads

    init(_ owners: Owners, carriers: SessionCarriers) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        buffers = owners.buffers
        counters = owners.counters
        plan = owners.plan
        self.carriers = carriers
        parameters = FastCGIHeads(owners)
    }

    // MARK: Requests

    /// Renders the head into the process's output; false: it does not fit.
    func renderRequest(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        let bytes = unsafe downstreams[downstream].input.wholeBytes.extracting(
            0..<exchanges[exchange].headLength)
        if exchanges.heads.exchange != exchange {
            var scan = 0
            let parsed = exchanges.heads.request.parse(
                bytes, resumeFrom: &scan, limit: .max)
            precondition(parsed == .complete, "a head that was parsed once parses again")
        }
        guard upstreams[upstream].codec.hasRecords else {
            return writeHead(exchange, downstream, bytes, into: &upstreams[upstream].output)
        }
        var lines = Block.none
        buffers.equip(&lines)
        defer { buffers.release(&lines) }
        guard writeHead(exchange, downstream, bytes, into: &lines) else { return false }
        return parameters.render(exchange, upstream, bytes, lines: unsafe lines.bytes)
    }

    /// Writes the parsed head as HTTP/1.1 has it; false: it does not fit.
    @inline(__always)
    private func writeHead(
        _ exchange: Int, _ downstream: Int, _ bytes: Span<UInt8>, into block: inout Block
    ) -> Bool {
        let resolved =
            exchanges[exchange].resolvesPath
            ? RequestPath.resolved(bytes.extracting(exchanges.heads.request.path.range)) : []
        // No reference if no cookie is forwarded, which is the rule.
        let kept =
            plan.routes.plans[Int(exchanges[exchange].route)].forwardCookie
            ? plan.routes.codecs[Int(exchanges[exchange].codec)].cookieName : []
        // The same for the mount point.
        let mount =
            exchanges[exchange].prefixLength > 0
            ? plan.routes.mounts[Int(exchanges[exchange].route)] : []
        // And for the host.
        let route = Int(exchanges[exchange].route)
        let host = plan.routes.plans[route].hasHostHeader ? plan.routes.hosts[route] : []
        let listener = plan.listenerPlan(downstreams[downstream].listener)
        if listener.givesRequestIDs { exchanges.heads.request.dropBadRequestID() }
        if listener.beginsTraces { exchanges.heads.request.dropBadTrace() }
        if plan.routes.plans[Int(exchanges[exchange].route)].carrier == .user {
            carriers.dropUserClaims(exchange, bytes)
        }
        let additions = headAdditions(exchange, downstream, listener, bytes)
        return block.write { sink in
            HTTP1Codec.writeHead(
                &exchanges.heads.request, from: bytes, resolved: resolved.span,
                strippingPrefix: exchanges[exchange].prefixLength, mount: mount.span,
                hiding: plan.routes.ownCookies, keeping: kept.span, host: host.span,
                additions, into: &sink)
        }
    }

    /// The information for the process in addition to the parsed head.
    @inline(__always)
    private func headAdditions(
        _ exchange: Int, _ downstream: Int, _ listener: ListenerPlan, _ bytes: Span<UInt8>
    ) -> HeadAdditions {
        let plan = self.plan.routes.plans[Int(exchanges[exchange].route)]
        let isStored = exchanges[exchange].isRequestChunked && !plan.isFastCGI
        let token = exchanges[exchange].token
        return HeadAdditions(
            peer: downstreams[downstream].peer,
            origin: downstreams[downstream].isTrusted
                ? exchanges.origin(of: downstream, bytes) : nil,
            grant: exchanges[exchange].machine.grant,
            requestID: exchanges[exchange].generatedID,
            trace: exchanges.beginTrace(exchange, listener),
            measuredLength: exchanges[exchange].isMeasured ? exchanges[exchange].keptBytes : nil,
            storedBytes: isStored ? exchanges[exchange].keptBytes : 0,
            takesASCIIOnly: plan.takesASCIIOnly,
            sessionLine: token.isEmpty ? .empty : exchanges.heads.request.cutOff(token),
            isUpgrade: !exchanges[exchange].offeredUpgrade.range.isEmpty,
            isOverHTTP2: downstreams[downstream].carrier.isStream,
            expectsContinue: exchanges[exchange].machine.expectsContinue)
    }

    // MARK: Responses

    func parseResponse(_ exchange: Int, _ upstream: Int) -> HeadParse {
        let bytes = unsafe upstreams[upstream].input.bytes
        let offered = exchanges[exchange].offeredUpgrade.range
        if offered.isEmpty {
            return upstreams[upstream].codec.parseHead(
                &exchanges.heads.response, bytes, resumeFrom: &upstreams[upstream].headScan,
                limit: plan.settings.limits.requestHead, requestMethod: exchanges[exchange].method,
                offeredUpgrade: Span())
        }
        // The request's head is still at the front of its block.
        let request = unsafe downstreams[Int(exchanges[exchange].downstream)].input.wholeBytes
        return upstreams[upstream].codec.parseHead(
            &exchanges.heads.response, bytes, resumeFrom: &upstreams[upstream].headScan,
            limit: plan.settings.limits.requestHead, requestMethod: exchanges[exchange].method,
            offeredUpgrade: request.extracting(offered))
    }

    /// Renders the parsed head with the added fields; false: it does not fit.
    func renderResponse(
        _ exchange: Int, _ upstream: Int, _ downstream: Int, _ framing: ResponseFraming
    ) -> Bool {
        if !downstreams[downstream].output.isEmpty {
            // Unread output must leave enough room.
            _ = buffers.append(
                &downstreams[downstream].output, to: &downstreams[downstream].backlog)
        }
        buffers.equip(&downstreams[downstream].output)
        exchanges.wallClock.refresh(turn: exchanges.now)
        let bytes = unsafe upstreams[upstream].input.bytes
        let sessionField = carriers.sessionField(exchange)
        let removed = exchanges.heads.response.remove(plan.routes.ownCookies, in: bytes)
        if removed > 0 { counters.add(.ownCookiesRemoved, UInt64(removed)) }
        let extra = exchanges.extraFields(exchange, setsCookie: !sessionField.isEmpty)
        if let extra {
            exchanges.heads.response.remove(replacedBy: extra, in: bytes)
        }
        let date = exchanges.wallClock.httpDate
        let closes =
            !downstreams[downstream].keepAlive && !exchanges.heads.response.isSwitchingProtocols
        let keepsAlive =
            !exchanges[exchange].machine.traits.isHTTP11 && downstreams[downstream].keepAlive
        return downstreams[downstream].output.write { sink in
            exchanges.heads.response.write(
                from: bytes, framing: framing, closes: closes, keepsAlive: keepsAlive,
                date: date.span, setCookie: sessionField.span,
                trailers: exchanges[exchange].holdsResponseTrailers, extra: extra, into: &sink)
        }
    }
}
