internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing

/// A request's head on its way to the process, with what is told beside it.
extension ExchangeTable {
    /// Renders the head into the process's output; false: it does not fit.
    func renderRequest(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(self[exchange].downstream)
        let whole = unsafe downstreams[downstream].input.whole
        let bytes = unsafe whole.span.extracting(0..<self[exchange].headLength)
        if heads.exchange != exchange {
            var scan = 0
            let parsed = heads.request.parse(
                bytes, resumeFrom: &scan, limit: .max)
            precondition(parsed == .complete, "a head that was parsed once parses again")
        }
        let resolved =
            self[exchange].resolvesPath
            ? RequestPath.resolved(bytes.extracting(heads.request.path.range)) : []
        // Without a reference where nothing is kept, which is the rule.
        let kept =
            plan.routes.plans[Int(self[exchange].route)].forwardCookie
            ? plan.routes.codecs[Int(self[exchange].codec)].cookieName : []
        // Likewise.
        let mount =
            self[exchange].prefixLength > 0
            ? plan.routes.mounts[Int(self[exchange].route)] : []
        let listener = plan.listenerPlan(downstreams[downstream].listener)
        if listener.givesRequestIDs { heads.request.dropBadRequestID() }
        if listener.beginsTraces { heads.request.dropBadTrace() }
        let additions = headAdditions(exchange, downstream, listener, bytes)
        var sink = unsafe ByteSink(upstreams[upstream].output.writable)
        upstreams[upstream].codec.writeHead(
            &heads.request, from: bytes, resolved: resolved.span,
            strippingPrefix: self[exchange].prefixLength, mount: mount.span,
            hiding: plan.routes.ownCookies, keeping: kept.span, additions, into: &sink)
        if sink.overflowed { return false }
        upstreams[upstream].output.commit(sink.count)
        return true
    }

    /// What the process is told beside the parsed head.
    @inline(__always)
    private func headAdditions(
        _ exchange: Int, _ downstream: Int, _ listener: ListenerPlan, _ bytes: Span<UInt8>
    ) -> HeadAdditions {
        let isStored = self[exchange].isRequestChunked
        return HeadAdditions(
            peer: downstreams[downstream].peer,
            origin: downstreams[downstream].isTrusted ? origin(of: downstream, bytes) : nil,
            grant: self[exchange].machine.grant,
            requestID: self[exchange].generatedID,
            trace: beginTrace(exchange, listener),
            measuredLength: self[exchange].isMeasured ? self[exchange].keptBytes : nil,
            storedBytes: isStored ? self[exchange].keptBytes : 0,
            takesASCIIOnly: plan.routes.plans[Int(self[exchange].route)].takesASCIIOnly,
            isUpgrade: !self[exchange].offeredUpgrade.range.isEmpty,
            isOverHTTP2: downstreams[downstream].carrier.isStream,
            expectsContinue: self[exchange].machine.expectsContinue)
    }
}
