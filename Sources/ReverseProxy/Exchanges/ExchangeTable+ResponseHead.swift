internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// A response's head: parsed as it comes from the process, and rendered for the client.
extension ExchangeTable {
    func parseResponse(_ exchange: Int, _ upstream: Int) -> HeadParse {
        let readable = unsafe upstreams[upstream].input.readable
        let offered = self[exchange].offeredUpgrade.range
        if offered.isEmpty {
            return unsafe upstreams[upstream].codec.parseHead(
                &heads.response, readable.span, resumeFrom: &upstreams[upstream].headScan,
                limit: plan.settings.limits.requestHead, requestMethod: self[exchange].method,
                offeredUpgrade: Span())
        }
        // The head of the request is still at the front of its block.
        let request = unsafe downstreams[Int(self[exchange].downstream)].input.whole
        return unsafe upstreams[upstream].codec.parseHead(
            &heads.response, readable.span, resumeFrom: &upstreams[upstream].headScan,
            limit: plan.settings.limits.requestHead, requestMethod: self[exchange].method,
            offeredUpgrade: request.span.extracting(offered))
    }

    /// Renders the parsed head with what is added to it; false: it does not fit.
    func renderResponse(
        _ exchange: Int, _ upstream: Int, _ downstream: Int, _ framing: ResponseFraming
    ) -> Bool {
        if !downstreams[downstream].output.isEmpty {
            // What the client has not taken yet must not leave too little room.
            _ = buffers.append(
                &downstreams[downstream].output, to: &downstreams[downstream].backlog)
        }
        buffers.equip(&downstreams[downstream].output)
        wallClock.refresh(turn: now)
        let readable = unsafe upstreams[upstream].input.readable
        var sink = unsafe ByteSink(downstreams[downstream].output.writable)
        let setCookie = cookieField(exchange)
        let removed = unsafe heads.response.remove(plan.routes.ownCookies, in: readable.span)
        if removed > 0 { counters.add(.ownCookiesRemoved, UInt64(removed)) }
        let extra = extraFields(exchange, setsCookie: !setCookie.isEmpty)
        if let extra { unsafe heads.response.remove(replacedBy: extra, in: readable.span) }
        let date = wallClock.httpDate
        unsafe heads.response.write(
            from: readable.span,
            framing: framing,
            closes: !downstreams[downstream].keepAlive && !heads.response.isSwitchingProtocols,
            keepsAlive: !self[exchange].machine.traits.isHTTP11
                && downstreams[downstream].keepAlive,
            date: date.span,
            setCookie: setCookie.span,
            trailers: self[exchange].holdsResponseTrailers, extra: extra, into: &sink)
        if sink.overflowed { return false }
        downstreams[downstream].output.commit(sink.count)
        return true
    }
}
