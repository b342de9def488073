internal import HTTPWire
internal import Reactor

/// `X-Request-Id` and `traceparent`: passed on as they came, or made here.
extension Worker {
    func listenerPlan(of place: Int) -> ListenerPlan {
        let listener = Int(downstreams[place].listener)
        return listener < listenerPlans.count ? listenerPlans[listener] : ListenerPlan(nil)
    }

    /// Notes the id that a request came with, or gives it one.
    ///
    /// - Parameter given: in the head; empty: it came without.
    func identify(_ exchange: Int, as given: ByteRange) {
        guard listenerPlan(of: Int(exchanges[exchange].downstream)).givesRequestIDs else { return }
        exchanges[exchange].requestID = given
        if given.isEmpty {
            exchanges[exchange].generatedID = GeneratedID(
                high: identifiers.next(), low: identifiers.next())
        }
    }

    /// The trace that begins with a request, whose head is the one parsed last; nil: none does.
    @inline(__always)
    func beginTrace(_ exchange: Int, _ plan: ListenerPlan) -> (id: GeneratedID, span: UInt64)? {
        guard plan.beginsTraces, !requestHead.isTraced else { return nil }
        // Of the same id as the request, where that was made here too.
        let id =
            exchanges[exchange].generatedID
            ?? GeneratedID(high: identifiers.next(), low: identifiers.next())
        return (id, identifiers.next())
    }

    /// The id by itself, of a request whose head is still there; nothing where there is none.
    func writeRequestID(_ exchange: Int, into sink: inout ByteSink) {
        if let generated = exchanges[exchange].generatedID { return generated.write(into: &sink) }
        let whole = unsafe downstreams[Int(exchanges[exchange].downstream)].input.whole
        let id = exchanges[exchange].requestID.range
        // The head stays at the front of its block until the exchange is over.
        guard id.upperBound <= whole.count else { return }
        unsafe sink.append(whole.span.extracting(id))
    }

    /// The line that an answer of Mooring's own has, so that it can be found in the log.
    func writeRequestIDField(_ exchange: Int, into sink: inout ByteSink) {
        guard !exchanges[exchange].requestID.isEmpty || exchanges[exchange].generatedID != nil
        else { return }
        sink.append("X-Request-Id: ")
        writeRequestID(exchange, into: &sink)
        sink.append("\r\n")
    }
}

/// Numbers that no two requests share, for all that is likely: SplitMix64 (Steele, Lea, Flood 2014).
///
/// A request's id is no secret, so it does not cost the kernel's random bytes.
struct IdentifierSource {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
