internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The content of Mooring's own responses.
extension OwnAnswers {
    /// The format that the client prefers; text if the head was invalid.
    func preference(_ exchange: Int) -> AnswerPreference {
        let whole = unsafe downstreams[Int(exchanges[exchange].downstream)].input.whole
        let length = exchanges[exchange].headLength
        guard !exchanges[exchange].isRejected, length <= whole.count else {
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
            answer.status == 503 && answer.mayBeAskedAgain && exchanges[exchange].method == .get
        let route = Int(exchanges[exchange].route)
        // A waiting visitor is not refused, so the group's 503 page does not apply.
        if route >= 0, !answer.isWaiting, let own = plan.routes.pages[route][answer.status] {
            return (own, mayRefresh)
        }
        page.refreshSeconds = mayRefresh ? answer.retryAfterSeconds : 0
        if plan.settings.showsOutput, answer.status >= 500, exchanges[exchange].group >= 0 {
            let group = plan.groups[Int(exchanges[exchange].group)]
            page.output = group.snapshot(now: exchanges.instant).lastFailure?.report.output ?? []
        }
        return (page.body(.page), false)
    }

    /// The log's sentence for an invalid response.
    func badResponse(_ exchange: Int, _ reason: String) -> String {
        let group = plan.groups[Int(exchanges[exchange].group)]
        let label =
            exchanges[exchange].machine.grant
            .flatMap { group.identity(of: $0.process)?.label } ?? ""
        let limit = plan.settings.limits.requestHead
        let remedy = reason.contains("large") ? "; limits.request_head is \(limit) bytes" : ""
        return "a response of \(label) in group \(group.name) is answered with 502 instead: "
            + reason + remedy
    }

    private func idBytes(_ exchange: Int) -> [UInt8] {
        var text = InlineArray<128, UInt8>(repeating: 0)
        var bytes = text.mutableSpan
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            exchanges.writeRequestID(exchange, into: &sink)
            return sink.count
        }
        return (0..<count).map { text[$0] }
    }

    /// What trusted proxies have taken off the path of the request parsed last; empty: nothing.
    func base(_ exchange: Int, _ bytes: Span<UInt8>) -> [UInt8] {
        guard downstreams[Int(exchanges[exchange].downstream)].isTrusted else { return [] }
        var text = [UInt8](repeating: 0, count: 1024)
        let count = unsafe text.withUnsafeMutableBufferPointer { room in
            var sink = unsafe ByteSink(room)
            exchanges.heads.request.writeForwardedPrefix(from: bytes, into: &sink)
            return sink.overflowed ? 0 : sink.count
        }
        return Array(text[..<count])
    }

    func writeOwnFields(_ exchange: Int, into sink: inout ByteSink) {
        // Mooring's own responses must not be cached, whatever the configured fields allow.
        exchanges.extraFields(exchange, setsCookie: false)?.withoutCaching.write(into: &sink)
        exchanges.writeRequestIDField(exchange, into: &sink)
    }
}
