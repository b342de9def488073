internal import HTTPWire
internal import Reactor

/// `X-Request-Id` and `traceparent`: passed on as they came, or made here.
extension ExchangeTable {
    /// Notes the id that a request came with, or gives it one.
    ///
    /// - Parameter given: in the head; empty: it came without.
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

    /// The trace that begins with a request, whose head is the one parsed last; nil: none does.
    @inline(__always)
    func beginTrace(_ exchange: Int, _ plan: ListenerPlan) -> (id: GeneratedID, span: UInt64)? {
        guard plan.beginsTraces, !heads.request.isTraced else { return nil }
        // Of the same id as the request, where that was made here too.
        let id =
            self[exchange].generatedID
            ?? GeneratedID(high: identifiers.next(), low: identifiers.next())
        return (id, identifiers.next())
    }

    /// The id by itself, of a request whose head is still there; nothing where there is none.
    func writeRequestID(_ exchange: Int, into sink: inout ByteSink) {
        if let generated = self[exchange].generatedID { return generated.write(into: &sink) }
        let whole = unsafe downstreams[Int(self[exchange].downstream)].input.wholeBytes
        let id = self[exchange].requestID.range
        // The head stays at the front of its block until the exchange is over.
        guard id.upperBound <= whole.count else { return }
        sink.append(whole.extracting(id))
    }

    /// The line that an answer of Mooring's own has, so that it can be found in the log.
    func writeRequestIDField(_ exchange: Int, into sink: inout ByteSink) {
        guard !self[exchange].requestID.isEmpty || self[exchange].generatedID != nil
        else { return }
        sink.append("X-Request-Id: ")
        writeRequestID(exchange, into: &sink)
        sink.append("\r\n")
    }
}
