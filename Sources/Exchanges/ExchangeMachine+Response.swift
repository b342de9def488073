package import HTTPWire

/// From the response's head to its end.
extension ExchangeMachine {
    /// The 1xx heads that a client gets per response; more of them carry no information.
    package static let mostInterimHeads: UInt8 = 100

    /// What to do with a 1xx head.
    package enum Interim: Equatable, Sendable {
        case pass
        /// Forward it: the client's body follows; call `endInvitation` once it is out.
        case invite
        case drop
    }

    /// A 1xx head has arrived.
    ///
    /// It is forwarded to clients that know 1xx, except a 100 that no client waits for. A client
    /// that is behind does not get it, so no process can fill memory with them.
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
        /// The client's connection closes after the response.
        package var closesClient: Bool
        /// The client will not be invited to send its body, so its body deadline is dropped.
        package var forgoesBody: Bool
    }

    /// A final head has arrived and can be forwarded.
    ///
    /// A process that responds before the upload is complete gets no more of it than is in flight.
    /// One that responds without a body that it was to invite loses its connection: neither side
    /// could tell where the next request begins.
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

    /// The final head is in the client's output; returns whether to drop the stored body.
    package mutating func headPassed(_ streaming: ResponseState.Streaming) -> Bool {
        move(response: .streaming(streaming))
        return traits.hasBody && request.phase == .done
    }

    /// A file is the response, and its head is in the client's output; what follows is read as the
    /// client takes it.
    package mutating func fileBegan() {
        move(request: .done)
        move(
            response: .streaming(
                .init(framing: .length, keepsConnection: false, isEventStream: false)))
    }

    /// The last bytes of the file are in the client's output.
    package mutating func fileEnded() { move(response: .received) }

    /// Whether a 101 may be forwarded: the request must be complete.
    package var maySwitch: Bool { request.phase == .done }

    /// A 101 is in the client's output: bytes pass both ways from now on.
    package mutating func switched(now: Int64) {
        clock = .unlimited
        move(response: .tunnel(Tunnel(isWebSocket: traits.upgrade == .webSocket, now: now)))
    }

    /// How the client recognises the end of a streaming body; `none` if there is no streaming body.
    @inline(__always)
    package var framing: ResponseFraming {
        if case .streaming(let streaming) = response { streaming.framing } else { .none }
    }

    /// What to do with the process's connection after a complete response.
    package enum Fate: Equatable, Sendable {
        case keep
        case close
        /// The process has sent more than its response: close it, and keep none of its connections
        /// from now on.
        case distrust
    }

    /// The complete response is here.
    ///
    /// - Parameters:
    ///   - isSilent: whether no bytes follow the response.
    ///   - mayKeep: whether neither the group nor the process ends the connection, and nothing
    ///     waits to be sent.
    package mutating func responseEnded(isSilent: Bool, mayKeep: Bool) -> Fate {
        let keeps: Bool
        if case .streaming(let streaming) = response {
            keeps = streaming.keepsConnection
        } else {
            keeps = false
        }
        let isOver = request.phase == .done
        // If the request was not complete, the rest is discarded: its client may still send it.
        move(request: .done)
        move(response: .received)
        guard isSilent else { return .distrust }
        return keeps && mayKeep && isOver ? .keep : .close
    }

    /// What the end of a process's connection means.
    package enum Closed: Equatable, Sendable {
        /// There was no response: `broke` decides what follows.
        case broke
        /// The end of the body.
        case ended
        /// The client must see that something is missing.
        case cutShort
    }

    /// The process closed its connection, or it broke.
    ///
    /// - Parameter isEnd: whether the close is the body's regular end.
    package func processClosed(isEnd: Bool) -> Closed {
        switch response {
        case .awaitingHead: .broke
        case .streaming: isEnd ? .ended : .cutShort
        case .received, .tunnel: .cutShort
        }
    }

    /// The next action when the client's socket is writable again.
    package enum Writable: Equatable, Sendable {
        /// The whole response is out.
        case complete
        /// Read more of the response.
        case resume
        case pumpTunnel
        case abandon
        case nothing
    }

    /// The client's socket is writable again, and some of the waiting output was sent.
    package func clientWritable(_ outcome: FlushOutcome) -> Writable {
        switch outcome {
        case .broken: return .abandon
        case .blocked:
            // There may be room for more all the same.
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
