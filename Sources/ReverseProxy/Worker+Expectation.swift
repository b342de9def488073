internal import Backends
internal import HTTPWire
internal import Reactor

/// `Expect: 100-continue` (RFC 9110 section 10.1.1): the process says whether it wants the body.
///
/// The expectation goes on with the head and the 100 of the process back to the client, so that a
/// process can refuse an upload that it has not read. A body that has begun to come is passed on as
/// any other.
extension Worker {
    /// How long a process has to say so.
    ///
    /// One that knows nothing of expectations waits for the body, as the client waits for the 100, which
    /// is then sent in its name.
    private static let continuePatience = Interval.seconds(1)

    /// Settles whether the head that is about to be sent asks the process for its word.
    func passExpectation(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        let isWaiting =
            exchanges[exchange].expectsContinue && downstreams[downstream].input.isEmpty
        exchanges[exchange].expectsContinue = isWaiting
        exchanges[exchange].continueDeadline =
            isWaiting ? now &+ Self.continuePatience.nanoseconds : 0
    }

    /// The client waits for the word of its process, which has its time.
    func awaitContinue(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].deadline = exchanges[exchange].continueDeadline
        deadlines.schedule(client: downstream, at: exchanges[exchange].continueDeadline)
    }

    /// The client has been asked for the body, or has begun to send it unasked.
    func endExpectation(_ exchange: Int) {
        exchanges[exchange].expectsContinue = false
        exchanges[exchange].continueDeadline = 0
    }

    /// The process wants the body, and the client has been told.
    func takeInvitation(_ exchange: Int) {
        endExpectation(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        postpone(client: downstream)
    }

    /// The process has said nothing: the client is asked for the body in its name.
    func continueTimedOut(_ exchange: Int) {
        endExpectation(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        buffers.equip(&downstreams[downstream].output)
        var sink = unsafe ByteSink(downstreams[downstream].output.writable)
        sink.append("HTTP/1.1 100 Continue\r\n\r\n")
        downstreams[downstream].output.commit(sink.count)
        if flush(downstream) == .broken {
            abandonDownstream(downstream)
        } else {
            pumpRequest(exchange)
        }
    }

    /// The process has answered without the body, which nobody asks for any more.
    ///
    /// Where its next request begins neither side could tell: no connection is kept.
    func forgoBody(_ exchange: Int) {
        endExpectation(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].move(request: .done)
        exchanges[exchange].keepsUpstream = false
        downstreams[downstream].keepAlive = false
        clearDownstreamDeadline(downstream)
    }
}
