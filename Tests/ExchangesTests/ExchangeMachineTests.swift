internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// Facts that may come at any time, in every state.
@Suite struct ExchangeMachineTests {
    @Test func `a client that can be read from is listened to where its body is wanted`() {
        expectEverywhere(
            [
                .buffering: .buffer, .sending: .send, .awaitingInvitation: .send,
                .streamingEarly: .send,
            ], otherwise: .nothing
        ) { $0.clientReadable(hasEnded: false) }
    }

    @Test func `a client that has finished sending loses its turn in a queue, and nothing else`() {
        expectEverywhere(
            [
                .inQueue: .abandon, .behindLeader: .abandon, .buffering: .buffer, .sending: .send,
                .awaitingInvitation: .send, .streamingEarly: .send,
            ], otherwise: .nothing
        ) { $0.clientReadable(hasEnded: true) }
    }

    @Test func `a client that took all that waited is sent more, or is done with`() {
        expectEverywhere(
            [
                .streaming: .resume, .streamingEarly: .resume, .streamingEvents: .resume,
                .received: .complete, .webSocket: .pumpTunnel, .otherTunnel: .pumpTunnel,
            ], otherwise: .nothing
        ) { $0.clientWritable(.done) }
    }

    @Test func `a client that took a part of what waited may make room for more`() {
        expectEverywhere(
            [.streaming: .resume, .streamingEarly: .resume, .streamingEvents: .resume],
            otherwise: .nothing
        ) { $0.clientWritable(.blocked) }
    }

    @Test func `a client whose connection broke is abandoned in every state`() {
        expectEverywhere([:], otherwise: .abandon) { $0.clientWritable(.broken) }
    }

    @Test func `a client's deadline means what the client was to do`() {
        expectEverywhere(
            [
                .inQueue: .showWaitingPage, .behindLeader: .showWaitingPage,
                .buffering: .answer(.requestTimeout), .sending: .answer(.requestTimeout),
                .awaitingInvitation: .invite, .streamingEarly: .abandon,
            ], otherwise: .checkReading
        ) { $0.clientTimedOut() }
    }

    @Test func `a process that is late is answered for, or its response is cut short`() {
        let cut: [Situation: ExchangeMachine.ProcessTimeout] = [
            .streaming: .cutShort, .streamingEarly: .cutShort, .streamingEvents: .cutShort,
            .received: .cutShort, .webSocket: .endTunnel, .otherTunnel: .endTunnel,
        ]
        expectEverywhere(cut, otherwise: .answer(.gatewayTimeout)) {
            $0.processTimedOut(now: Situation.now)
        }
        let later = Situation.now + Interval.seconds(9).nanoseconds
        expectEverywhere(cut, otherwise: .answer(.gatewayTimeout), limit: .seconds(10)) {
            $0.processTimedOut(now: later)
        }
    }

    @Test func `a process that is beyond the time for a request is replaced`() {
        let later = Situation.now + Interval.seconds(10).nanoseconds
        for situation in Situation.allCases {
            let machine = situation.machine(limit: .seconds(10))
            let expected: ExchangeMachine.ProcessTimeout =
                switch situation {
                // No process has received the request.
                case .parsed, .buffering, .inQueue, .behindLeader: .answer(.gatewayTimeout)
                case .connecting, .connectingToFullBacklog, .sending, .awaitingInvitation,
                    .awaitingAnswer:
                    .answerAndReplace(.requestTookTooLong)
                case .streaming, .streamingEarly, .streamingEvents, .received: .cutShortAndReplace
                // A tunnel has times of its own.
                case .webSocket, .otherTunnel: .endTunnel
                }
            #expect(machine.processTimedOut(now: later) == expected, "\(situation)")
        }
    }

    @Test func `the end of a process's connection ends a body only where the framing says so`() {
        let cut: [Situation: ExchangeMachine.Closed] = [
            .streaming: .cutShort, .streamingEarly: .cutShort, .streamingEvents: .cutShort,
            .received: .cutShort, .webSocket: .cutShort, .otherTunnel: .cutShort,
        ]
        expectEverywhere(cut, otherwise: .broke) { $0.processClosed(isEnd: false) }
        let ended = cut.merging(
            [.streaming: .ended, .streamingEarly: .ended, .streamingEvents: .ended]
        ) { $1 }
        expectEverywhere(ended, otherwise: .broke) { $0.processClosed(isEnd: true) }
    }

    @Test func `the end of the program ends what has no end of its own`() {
        expectEverywhere(
            [.streamingEvents: .passRest, .webSocket: .closeTunnel], otherwise: .nothing
        ) { $0.shutDown(now: Situation.now) }
    }

    @Test func `only an event stream that passes through is one, until it is given an end`() {
        expectEverywhere([.streamingEvents: true], otherwise: false) { $0.isEventStream }
        var machine = Situation.streamingEvents.machine()
        machine.eventStreamEnded()
        #expect(machine.isEventStream == false)
        #expect(machine.clientWritable(.done) == .complete)
    }

    @Test func `only who waits in a queue of the registry has a ticket, and gives it up once`() {
        expectEverywhere([.inQueue: Situation.ticket], otherwise: nil) { $0.leaveQueue() }
        expectEverywhere([:], otherwise: nil) { (machine: inout ExchangeMachine) -> WaiterTicket? in
            _ = machine.leaveQueue()
            return machine.leaveQueue()
        }
    }

    @Test func `a slot is given back exactly once however far the exchange has come`() {
        let grant = Situation.grant
        let none: [Situation: ExchangeMachine.SlotReturn] = [
            .parsed: .none, .buffering: .none, .inQueue: .none, .behindLeader: .none,
            .received: .none, .webSocket: .tunnel(grant, heldSlot: false),
            .otherTunnel: .tunnel(grant, heldSlot: false),
            .streaming: .request(grant, isAnswered: true),
            .streamingEarly: .request(grant, isAnswered: true),
            .streamingEvents: .request(grant, isAnswered: true),
        ]
        expectEverywhere(none, otherwise: .request(grant, isAnswered: false)) { $0.returnSlot() }
        expectEverywhere([:], otherwise: .none) {
            (machine: inout ExchangeMachine) -> ExchangeMachine.SlotReturn in
            _ = machine.returnSlot()
            return machine.returnSlot()
        }
    }

    @Test func `a slot of a tunnel tells whether it counts for tunnel slots`() {
        var machine = Situation.webSocket.machine()
        machine.tunnel.holdsSlot = true
        #expect(machine.returnSlot() == .tunnel(Situation.grant, heldSlot: true))
        #expect(machine.grant == Situation.grant, "the log names the process afterwards")
    }

    @Test func `a bad body is answered until the client has seen something of a response`() {
        expectEverywhere(
            [
                .streaming: .abandon, .streamingEarly: .abandon, .streamingEvents: .abandon,
                .received: .abandon, .webSocket: .abandon, .otherTunnel: .abandon,
            ], otherwise: .answer
        ) { $0.bodyIsBad() }
    }

    @Test func `a body that does not come is waited for by the side that must act`() {
        let until = Situation.now + ExchangeMachine.invitationPatience
        expectEverywhere(
            [
                .awaitingInvitation: .invitation(until: until), .streaming: .response,
                .streamingEarly: .response, .streamingEvents: .response, .received: .response,
                .webSocket: .response, .otherTunnel: .response,
            ], otherwise: .client
        ) { $0.bodyIsAwaited() }
    }

    @Test func `an order that comes too late is undone`() {
        let inTime: [Situation: ExchangeMachine.Granted] = [
            .parsed: .connect, .buffering: .connect, .inQueue: .connect,
            .behindLeader: .connect, .connecting: .connect, .connectingToFullBacklog: .connect,
        ]
        expectEverywhere(inTime, otherwise: .giveBack) {
            (machine: inout ExchangeMachine) -> ExchangeMachine.Granted in
            _ = machine.returnSlot()
            return machine.granted(
                Situation.grant, limit: nil, isLate: false, now: Situation.now)
        }
        let refusal = Refusal(reason: .queueTimeout, retryAfterSeconds: 1)
        let over: [Situation: ExchangeMachine.Refused] = [
            .awaitingAnswer: .nothing, .streaming: .nothing, .streamingEvents: .nothing,
            .received: .nothing, .webSocket: .nothing, .otherTunnel: .nothing,
            .sending: .nothing, .awaitingInvitation: .nothing, .streamingEarly: .nothing,
        ]
        expectEverywhere(over, otherwise: .answer(.refusal(refusal))) {
            $0.refused(refusal, isLate: false)
        }
    }
}
