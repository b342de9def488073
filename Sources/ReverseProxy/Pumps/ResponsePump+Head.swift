internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The head of a response: its meaning for both connections, and its rendering for the client.
extension ResponsePump {
    /// The process's response is invalid and cannot be forwarded.
    func refuseResponse(_ exchange: Int, _ reason: StaticString) {
        exchanges[exchange].status = 0
        processEnds.end(exchange, .failed)
        answers.giveBadResponse(exchange, reason.description)
    }

    /// The records of a response are over before its head, or are none.
    func refuseRecords(_ exchange: Int, _ upstream: Int) {
        let isOverloaded = upstreams[upstream].records.end == .overloaded
        exchanges[exchange].status = 0
        processEnds.end(exchange, .failed)
        answers.give(exchange, to: isOverloaded ? .processBusy : .badResponse)
    }

    /// Renders the parsed head for the client; false: the exchange has ended.
    func startResponse(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        upstreams[upstream].headScan = 0
        if exchanges.heads.response.isSwitchingProtocols {
            if tunnels.beginTunnel(exchange, upstream) { return true }
            refuseResponse(exchange, "switching protocols")
            return false
        }
        if exchanges.heads.response.isInformational {
            return passInformational(exchange, upstream, downstream)
        }
        exchanges[exchange].firstByteAt = exchanges.now
        exchanges[exchange].status = exchanges.heads.response.status
        let isHTTP = !upstreams[upstream].codec.hasRecords
        exchanges[exchange].awaitsSilence =
            exchanges.heads.response.body.endsWithHead && isHTTP
        exchanges[exchange].upstreamKeptFor = exchanges.heads.response.keepsForSeconds
        if isHTTP,
            exchanges.heads.response.status == 401 || exchanges.heads.response.status == 407
        {
            noteChallenge(exchange, upstream)
        }
        var isEventStream = false
        if exchanges.heads.response.body.isOpenEnded {
            isEventStream = unsafe exchanges.heads.response.isEventStream(
                in: upstreams[upstream].input.bytes)
        }
        let head = exchanges[exchange].machine.finalHead(
            exchanges.heads.response.body, keepsConnection: exchanges.heads.response.keepAlive,
            isEventStream: isEventStream)
        let holdsTrailers =
            exchanges.heads.response.passesTrailers && exchanges[exchange].takesTrailers
            && head.streaming.framing.isChunked
        exchanges[exchange].holdsResponseTrailers = holdsTrailers
        exchanges[exchange].responseBody = upstreams[upstream].codec.body(
            exchanges.heads.response, holdsTrailers: holdsTrailers)
        carriers.followHead(exchange)
        if head.forgoesBody { downstreams.clearDeadline(downstream) }
        if head.closesClient { downstreams[downstream].keepAlive = false }
        guard heads.renderResponse(exchange, upstream, downstream, head.streaming.framing)
        else {
            refuseResponse(exchange, "response head too large with its additional fields")
            return false
        }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        if exchanges[exchange].machine.headPassed(head.streaming) {
            bodies.dropStoredBody(exchange)
        }
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).idle)
        return true
    }

    private func noteChallenge(_ exchange: Int, _ upstream: Int) {
        if unsafe exchanges.heads.response.offersConnectionSignIn(upstreams[upstream].input.bytes) {
            exchanges[exchange].signsInConnection = true
        }
    }

    /// Forwards a 1xx head, or drops it; false: the exchange has ended.
    private func passInformational(
        _ exchange: Int, _ upstream: Int, _ downstream: Int
    ) -> Bool {
        let fate = exchanges[exchange].machine.interimHead(
            status: exchanges.heads.response.status,
            clientIsBehind: downstreams[downstream].wantsWrite)
        if fate != .drop {
            buffers.equip(&downstreams[downstream].output)
            let bytes = unsafe upstreams[upstream].input.bytes
            let fits = downstreams[downstream].output.write { sink in
                exchanges.heads.response.writeInformational(from: bytes, into: &sink)
            }
            if fits {
                if downstreams.flush(downstream) == .broken {
                    clientEnds.abandon(downstream)
                    return false
                }
                if fate == .invite {
                    // The process wants the body, and the client has its 100.
                    exchanges[exchange].machine.endInvitation()
                    downstreams.postpone(downstream)
                }
            }
        }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        return true
    }
}
