package import HTTPWire

/// From the response's head to its end.
extension ExchangeMachine {
    /// 1xx heads that a client is sent of one response: more of them say nothing new.
    package static let mostInterimHeads: UInt8 = 100

    /// What becomes of a 1xx head.
    package enum Interim: Equatable, Sendable {
        case pass
        /// It is passed on, and the client's body comes: `endInvitation` once it is out.
        case invite
        case drop
    }

    /// A 1xx head has come.
    ///
    /// They go to clients that know them, but for a 100 that no client waits for. A client that is behind
    /// can do without, and no process fills memory with them.
    package mutating func interimHead(status: UInt16, clientIsBehind: Bool) -> Interim {
        if status == 100 { return awaitsInvitation ? .invite : .drop }
        guard case .awaitingHead(let count) = response, traits.isHTTP11, !clientIsBehind,
            count < Self.mostInterimHeads
        else { return .drop }
        note(response: .awaitingHead(interimHeads: count + 1))
        return .pass
    }

    /// What a final head means for both connections.
    package struct FinalHead: Equatable, Sendable {
        package var streaming: ResponseState.Streaming
        /// The client's connection ends with the response.
        package var closesClient: Bool
        /// Nobody asks the client for its body any more: it has no deadline for that.
        package var forgoesBody: Bool
    }

    /// A final head has come, and can be passed on.
    ///
    /// Who answers before the upload is over gets no more of it than is under way. One who answers without
    /// a body that it was to ask for keeps no connection, as where its next request begins neither
    /// side could tell.
    package mutating func finalHead(
        _ body: BodyFraming, keepsConnection: Bool, isEventStream: Bool
    ) -> FinalHead {
        let framing: ResponseFraming =
            switch body {
            case .none: .none
            case .length: .length
            case .chunked, .untilClose: traits.isHTTP11 ? .chunked : .untilClose
            }
        let forgoesBody = awaitsInvitation
        let isOver = request.phase == .done
        if forgoesBody {
            endInvitation()
            move(request: .done)
        }
        return FinalHead(
            streaming: .init(
                framing: framing, keepsConnection: keepsConnection && !forgoesBody,
                isEventStream: isEventStream),
            closesClient: !isOver || framing.endsWithConnection, forgoesBody: forgoesBody)
    }

    /// The final head is in the client's output: whether the stored body is dropped.
    package mutating func headPassed(_ streaming: ResponseState.Streaming) -> Bool {
        move(response: .streaming(streaming))
        return traits.hasBody && request.phase == .done
    }

    /// Whether a 101 may be passed on: the request has to be over.
    package var maySwitch: Bool { request.phase == .done }

    /// A 101 is in the client's output: bytes pass both ways from here on, for as long as they do.
    package mutating func switched(now: Int64) {
        clock = .unlimited
        move(response: .tunnel(Tunnel(isWebSocket: traits.upgrade == .webSocket, now: now)))
    }

    /// How the client sees the end of a body that passes through; `none` where there is no such.
    @inline(__always)
    package var framing: ResponseFraming {
        if case .streaming(let streaming) = response { streaming.framing } else { .none }
    }

    /// What becomes of the process's connection behind a whole response.
    package enum Fate: Equatable, Sendable {
        case keep
        case close
        /// The process has sent more than its response: nothing of it is kept from here on.
        case distrust
    }

    /// The whole response is here.
    ///
    /// - Parameters:
    ///   - isSilent: Nothing has come behind the response.
    ///   - mayKeep: Neither the group nor the process ends the connection, and nothing waits to be sent.
    package mutating func responseEnded(isSilent: Bool, mayKeep: Bool) -> Fate {
        let keeps: Bool
        if case .streaming(let streaming) = response {
            keeps = streaming.keepsConnection
        } else {
            keeps = false
        }
        let isOver = request.phase == .done
        // Where it was not over nobody takes the rest: its client may go on to send it.
        move(request: .done)
        move(response: .received)
        guard isSilent else { return .distrust }
        return keeps && mayKeep && isOver ? .keep : .close
    }

    /// What the end of a process's connection means.
    package enum Closed: Equatable, Sendable {
        /// There was no response: `broke` says what follows.
        case broke
        /// The end of the body.
        case ended
        /// The client must see that something is missing.
        case cutShort
    }

    /// The process has closed its connection, or it broke.
    ///
    /// - Parameter isEnd: The close is the body's regular end.
    package func processClosed(isEnd: Bool) -> Closed {
        switch response {
        case .awaitingHead: .broke
        case .streaming: isEnd ? .ended : .cutShort
        case .received, .tunnel: .cutShort
        }
    }

    /// What follows when a client takes bytes again.
    package enum Writable: Equatable, Sendable {
        /// All of the response is out.
        case complete
        /// More of the response may be read.
        case resume
        case pumpTunnel
        case abandon
        case nothing
    }

    /// The client takes bytes again, and some of what waited was sent to it.
    package func clientWritable(_ outcome: FlushOutcome) -> Writable {
        switch outcome {
        case .broken: return .abandon
        case .blocked:
            // There may be room for more of it nevertheless.
            if case .streaming = response { return .resume }
            return .nothing
        case .done:
            switch response {
            case .received: return .complete
            case .streaming: return .resume
            case .tunnel: return .pumpTunnel
            case .awaitingHead: return .nothing
            }
        }
    }
}
