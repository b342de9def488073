internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// `Expect: 100-continue` (RFC 9110 section 10.1.1): the process says whether it wants the body.
///
/// The expectation goes on with the head and the 100 of the process back to the client, so that a
/// process can refuse an upload that it has not read. A body that has begun to come is passed on as
/// any other.
extension Worker {
    /// The client waits for the word of its process, which has its time.
    func awaitInvitation(_ exchange: Int, until deadline: Int64) {
        let downstream = Int(exchanges[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].deadline = deadline
        deadlines.schedule(client: downstream, at: deadline)
    }

    /// The process wants the body, and the client has been told.
    func takeInvitation(_ exchange: Int) {
        exchanges[exchange].machine.endInvitation()
        let downstream = Int(exchanges[exchange].downstream)
        postpone(client: downstream)
    }

    /// The process has said nothing: the client is asked for the body in its name.
    func invite(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        buffers.equip(&downstreams[downstream].output)
        var sink = unsafe ByteSink(downstreams[downstream].output.writable)
        sink.append("HTTP/1.1 100 Continue\r\n\r\n")
        downstreams[downstream].output.commit(sink.count)
        if downstreams.flush(downstream) == .broken {
            abandonDownstream(downstream)
        } else {
            pumpRequest(exchange)
        }
    }
}
