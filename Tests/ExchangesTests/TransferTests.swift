internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// Bodies on their way, the response's head, and the end.
@Suite struct TransferTests {
    @Test func `what follows on a piece of the request is decided for every outcome`() {
        for fill in BodyFill.allCases {
            for isUntouched in [false, true] {
                var blocked = Situation.sending.machine()
                #expect(blocked.sent(.blocked, fill, isUntouched: isUntouched) == .awaitProcess)
                var broken = Situation.sending.machine()
                #expect(
                    broken.sent(.broken, fill, isUntouched: isUntouched)
                        == (isUntouched ? .retry : .readResponse))
                #expect(broken.request.phase == (isUntouched ? .sending : .done))
            }
        }
        let done: [(BodyFill, ExchangeMachine.Sent)] = [
            (.ended, .finished(dropsBody: true)), (.full, .fill), (.bad, .fill), (.starved, .read),
        ]
        for (fill, expected) in done {
            var machine = Situation.sending.machine()
            #expect(machine.sent(.done, fill, isUntouched: false) == expected)
        }
    }

    @Test func `a file streams as the client takes it, without a slot`() {
        var machine = ExchangeMachine(waiter: WaiterTag(0))
        machine.begin(RequestTraits(isIdempotent: true))
        machine.fileBegan()
        #expect(!machine.holdsSlot && machine.request.phase == .done)
        #expect(machine.response.phase == .streaming && machine.framing == .length)
        #expect(machine.clientReadable(hasEnded: true) == .nothing)
        #expect(machine.clientTimedOut() == .checkReading)
        #expect(machine.shutDown(now: 1) == .nothing)
        machine.fileEnded()
        #expect(machine.clientWritable(.done) == .complete)
    }

    @Test func `a request that may be repeated keeps its body until it is answered`() {
        var machine = Situation.buffering.machine()
        _ = machine.bodyStored(.ended, isTooLarge: false)
        _ = machine.granted(Situation.grant, limit: nil, isLate: false, now: Situation.now)
        machine.connected(nothingFollows: false, now: Situation.now)
        #expect(machine.sent(.done, .ended, isUntouched: false) == .finished(dropsBody: false))
        let head = machine.finalHead(.length(1), keepsConnection: true, isEventStream: false)
        #expect(machine.headPassed(head.streaming) == true)
    }

    @Test func `a client waits to be asked for its body only while none of it has come`() {
        var machine = Situation.connecting.machine {
            $0.hasBody = true
            $0.expectsContinue = true
        }
        machine.connected(nothingFollows: false, now: Situation.now)
        #expect(machine.awaitsInvitation == false)
        #expect(machine.expectsContinue == false)
        var waiting = Situation.awaitingInvitation.machine()
        #expect(waiting.awaitsInvitation)
        waiting.bodyArrived(now: Situation.now)
        #expect(waiting.awaitsInvitation == false)
        #expect(waiting.expectsContinue == false)
    }

    @Test func `a 100 goes to a client that waits for it, other 1xx to those who know them`() {
        for situation in [Situation.sending, .awaitingAnswer] {
            var machine = situation.machine()
            #expect(machine.interimHead(status: 100, clientIsBehind: false) == .drop)
            #expect(machine.interimHead(status: 103, clientIsBehind: false) == .pass)
            #expect(machine.interimHead(status: 103, clientIsBehind: true) == .drop)
            var old = situation.machine { $0.isHTTP11 = false }
            #expect(old.interimHead(status: 103, clientIsBehind: false) == .drop)
        }
        var waiting = Situation.awaitingInvitation.machine()
        #expect(waiting.interimHead(status: 100, clientIsBehind: true) == .invite)
        #expect(waiting.awaitsInvitation, "until it is out")
    }

    @Test func `a client is sent a bounded number of interim heads`() {
        var machine = Situation.awaitingAnswer.machine()
        var passed = 0
        for _ in 0..<300
        where machine.interimHead(status: 103, clientIsBehind: false) == .pass { passed += 1 }
        #expect(passed == 100)
    }

    @Test(arguments: [
        (BodyFraming.none, true, ResponseFraming.none), (.none, false, .none),
        (.length(3), true, .length), (.length(3), false, .length),
        (.chunked, true, .chunked), (.chunked, false, .untilClose),
        (.untilClose, true, .chunked), (.untilClose, false, .untilClose),
    ])
    func `a body is framed as its client understands it`(
        _ body: BodyFraming, _ isHTTP11: Bool, _ framing: ResponseFraming
    ) {
        var machine = Situation.awaitingAnswer.machine { $0.isHTTP11 = isHTTP11 }
        let head = machine.finalHead(body, keepsConnection: true, isEventStream: false)
        #expect(head.streaming.framing == framing)
        #expect(head.closesClient == (framing == .untilClose))
    }

    @Test func `an answer before the upload is over ends the client's connection`() {
        var machine = Situation.sending.machine()
        let head = machine.finalHead(.length(1), keepsConnection: true, isEventStream: false)
        #expect(head.closesClient)
        #expect(head.streaming.keepsConnection)
        #expect(machine.headPassed(head.streaming) == false, "more of the body goes out")
    }

    @Test func `an answer in place of an invitation ends both connections`() {
        var machine = Situation.awaitingInvitation.machine()
        let head = machine.finalHead(.length(1), keepsConnection: true, isEventStream: false)
        #expect(head.closesClient)
        #expect(head.forgoesBody)
        #expect(head.streaming.keepsConnection == false)
        #expect(machine.request == .done)
    }

    @Test func `a process's connection is kept behind a whole exchange and nothing else`() {
        for (situation, isSilent, mayKeep, fate) in [
            (Situation.streaming, true, true, ExchangeMachine.Fate.keep),
            (.streaming, true, false, .close), (.streaming, false, true, .distrust),
            (.streamingEarly, true, true, .close), (.streamingEarly, false, true, .distrust),
        ] {
            var machine = situation.machine()
            #expect(machine.responseEnded(isSilent: isSilent, mayKeep: mayKeep) == fate)
            #expect(machine.response.phase == .received)
        }
    }

    /// Otherwise it would be sent to a connection that is gone.
    @Test func `a body that is not over when the response is goes nowhere`() {
        var machine = Situation.streamingEarly.machine()
        _ = machine.responseEnded(isSilent: true, mayKeep: true)
        #expect(machine.clientReadable(hasEnded: false) == .nothing)
        var events = Situation.sending.machine()
        let head = events.finalHead(.chunked, keepsConnection: true, isEventStream: true)
        _ = events.headPassed(head.streaming)
        events.eventStreamEnded()
        #expect(events.clientReadable(hasEnded: false) == .nothing)
    }

    @Test func `only a whole request may become a tunnel`() {
        #expect(Situation.sending.machine().maySwitch == false)
        #expect(Situation.awaitingInvitation.machine().maySwitch == false)
        #expect(Situation.awaitingAnswer.machine().maySwitch)
    }
}
