internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// What an answer of Mooring's own holds.
extension ExchangeTable {
    /// What the client would rather read; of a head that was none: text.
    func preference(_ exchange: Int) -> AnswerPreference {
        let whole = unsafe downstreams[Int(self[exchange].downstream)].input.whole
        let length = self[exchange].headLength
        guard !self[exchange].isRejected, length <= whole.count else {
            return AnswerPreference(of: Span())
        }
        return unsafe AnswerPreference(of: whole.span.extracting(..<length))
    }

    func content(
        _ exchange: Int, _ answer: OwnAnswer, _ preference: AnswerPreference
    ) -> (body: [UInt8], refreshes: Bool) {
        var page = ErrorPage(status: answer.status, details: answer.details)
        page.isWaiting = answer.isWaiting
        page.requestID = idBytes(exchange)
        guard preference.form == .page else { return (page.body(preference.form), false) }
        let mayRefresh =
            answer.status == 503 && answer.mayBeAskedAgain && self[exchange].method == .get
        let route = Int(self[exchange].route)
        if route >= 0, let own = plan.routes.pages[route][answer.status] {
            return (own, mayRefresh)
        }
        page.refreshSeconds = mayRefresh ? answer.retryAfterSeconds : 0
        if plan.settings.showsOutput, answer.status >= 500, self[exchange].group >= 0 {
            let group = plan.groups[Int(self[exchange].group)]
            page.output = group.snapshot(now: instant).lastFailure?.report.output ?? []
        }
        return (page.body(.page), false)
    }

    private func idBytes(_ exchange: Int) -> [UInt8] {
        var text = InlineArray<128, UInt8>(repeating: 0)
        var bytes = text.mutableSpan
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            writeRequestID(exchange, into: &sink)
            return sink.count
        }
        return (0..<count).map { text[$0] }
    }

    func writeOwnFields(_ exchange: Int, into sink: inout ByteSink) {
        // An answer of Mooring's own is kept by no cache, whatever responses of processes may be.
        extraFields(exchange, setsCookie: false)?.withoutCaching.write(into: &sink)
        writeRequestIDField(exchange, into: &sink)
    }

    /// The fields that listener and route add to a response; nil: none, as a rule.
    func extraFields(_ exchange: Int, setsCookie: Bool) -> ExtraFields? {
        let place = Int(self[exchange].downstream)
        let route = Int(self[exchange].route)
        let ofRoute = route >= 0 && plan.routes.plans[route].hasFields
        let ofListener = plan.listenerPlan(downstreams[place].listener).hasFields
        guard ofRoute || ofListener else { return nil }
        let own = ofRoute ? plan.routes.headers[route] : ExtraFields()
        let others =
            ofListener
            ? plan.listener(downstreams[place].listener)?.headers ?? ExtraFields() : ExtraFields()
        return own.over(others).suiting(
            isSecure: self[exchange].isSecure, setsCookie: setsCookie)
    }
}
