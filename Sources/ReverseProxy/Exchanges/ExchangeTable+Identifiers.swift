internal import HTTPWire
internal import Reactor

/// `X-Request-Id` and `traceparent`: forwarded as received, or generated.
extension ExchangeTable {
    /// Records the id that a request brought, or generates one.
    ///
    /// - Parameter given: in the head; empty: it brought none.
    func identify(_ exchange: Int, as given: ByteRange) {
        guard
            plan.listenerPlan(downstreams[Int(self[exchange].downstream)].listener).givesRequestIDs
        else { return }
        self[exchange].requestID = given
        if given.isEmpty {
            self[exchange].generatedID = GeneratedID(
                high: identifiers.next(), low: identifiers.next())
        }
    }

    /// The trace that starts with a request, whose head is the one parsed last; nil: none.
    @inline(__always)
    func beginTrace(_ exchange: Int, _ plan: ListenerPlan) -> (id: GeneratedID, span: UInt64)? {
        guard plan.beginsTraces, !heads.request.isTraced else { return nil }
        // The same id as the request's, if that was generated too.
        let id =
            self[exchange].generatedID
            ?? GeneratedID(high: identifiers.next(), low: identifiers.next())
        return (id, identifiers.next())
    }

    /// Writes the id of a request whose head is still available; nothing if it has none.
    func writeRequestID(_ exchange: Int, into sink: inout ByteSink) {
        if let generated = self[exchange].generatedID { return generated.write(into: &sink) }
        let whole = unsafe downstreams[Int(self[exchange].downstream)].input.wholeBytes
        let id = self[exchange].requestID.range
        // The head stays at the front of its block until the exchange is over.
        guard id.upperBound <= whole.count else { return }
        sink.append(whole.extracting(id))
    }

    /// The field for Mooring's own responses, so that they can be found in the log.
    func writeRequestIDField(_ exchange: Int, into sink: inout ByteSink) {
        guard !self[exchange].requestID.isEmpty || self[exchange].generatedID != nil
        else { return }
        sink.append("X-Request-Id: ")
        writeRequestID(exchange, into: &sink)
        sink.append("\r\n")
    }
}
