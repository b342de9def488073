internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// Every state of an exchange that there is, reached by the facts that lead to it.
enum Situation: CaseIterable {
    case parsed, buffering, inQueue, behindLeader
    case connecting, connectingToFullBacklog
    /// The body is on its way; nothing has come back.
    case sending
    /// The client waits to be asked for its body.
    case awaitingInvitation
    /// The request is complete; nothing has come back.
    case awaitingAnswer
    case streaming
    /// As `streaming`; the process has answered before the body was complete.
    case streamingEarly
    case streamingEvents
    case received
    case webSocket, otherTunnel

    static let ticket = WaiterTicket(index: 3, serial: 5)
    static let grant = Grant(
        process: ProcessHandle(index: 1, serial: 2), incarnation: Incarnation(7),
        session: SessionID(high: 1, low: 2), affinity: .new, placed: .pinned)
    static let now: Int64 = 1_000_000_000_000

    /// - Parameters:
    ///   - limit: `request_timeout`.
    ///   - change: applied to the traits of the request.
    func machine(
        limit: Interval? = nil, _ change: (inout RequestTraits) -> Void = { _ in }
    ) -> ExchangeMachine {
        var machine = ExchangeMachine(waiter: WaiterTag(9))
        var traits = RequestTraits()
        traits.isIdempotent = true
        switch self {
        case .buffering, .sending, .streamingEarly: traits.hasBody = true
        case .awaitingInvitation:
            traits.hasBody = true
            traits.expectsContinue = true
        case .webSocket: traits.upgrade = .webSocket
        case .otherTunnel: traits.upgrade = .other
        case .parsed, .inQueue, .behindLeader, .connecting, .connectingToFullBacklog,
            .awaitingAnswer, .streaming, .streamingEvents, .received:
            break
        }
        change(&traits)
        machine.begin(traits)
        switch self {
        case .parsed: break
        case .buffering:
            _ = machine.headParsed(bodyIsHere: false, nothingFollows: true, buffersBodies: true)
        case .inQueue: machine.queued(Self.ticket)
        case .behindLeader: machine.follow(since: MonotonicInstant(nanoseconds: Situation.now))
        case .connecting: connect(&machine, limit)
        case .connectingToFullBacklog:
            connect(&machine, limit)
            _ = machine.backlogFull(patience: .seconds(5), now: Self.now)
        case .sending, .awaitingInvitation: send(&machine, limit)
        case .awaitingAnswer: complete(&machine, limit)
        case .streaming:
            complete(&machine, limit)
            stream(&machine)
        case .streamingEarly:
            send(&machine, limit)
            stream(&machine)
        case .streamingEvents:
            complete(&machine, limit)
            stream(&machine, isEventStream: true)
        case .received:
            complete(&machine, limit)
            stream(&machine)
            _ = machine.responseEnded(isSilent: true, mayKeep: true)
            _ = machine.returnSlot()
        case .webSocket, .otherTunnel:
            complete(&machine, limit)
            machine.switched(now: Self.now)
        }
        return machine
    }

    private func connect(_ machine: inout ExchangeMachine, _ limit: Interval?) {
        _ = machine.granted(Self.grant, limit: limit, isLate: false, now: Self.now)
    }

    private func send(_ machine: inout ExchangeMachine, _ limit: Interval?) {
        connect(&machine, limit)
        machine.connected(nothingFollows: true, now: Self.now)
    }

    private func complete(_ machine: inout ExchangeMachine, _ limit: Interval?) {
        send(&machine, limit)
        _ = machine.sent(.done, .ended, isUntouched: false)
    }

    private func stream(_ machine: inout ExchangeMachine, isEventStream: Bool = false) {
        let head = machine.finalHead(
            isEventStream ? .chunked : .length(5), keepsConnection: true,
            isEventStream: isEventStream)
        _ = machine.headPassed(head.streaming)
    }
}

/// Expects a result of a fact in every situation.
///
/// - Parameters:
///   - listed: What comes in some of them.
///   - otherwise: What comes in all others.
func expectEverywhere<Result: Equatable>(
    _ listed: [Situation: Result], otherwise: Result, limit: Interval? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ fact: (inout ExchangeMachine) -> Result
) {
    for situation in Situation.allCases {
        var machine = situation.machine(limit: limit)
        let result = fact(&machine)
        #expect(
            result == listed[situation] ?? otherwise, "\(situation)",
            sourceLocation: sourceLocation)
    }
}
