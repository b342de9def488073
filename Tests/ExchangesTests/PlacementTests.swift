internal import Backends
internal import Testing

@testable internal import Exchanges

/// From the head to a slot.
@Suite struct PlacementTests {
    @Test func `a request without a body asks at once`() {
        var machine = Situation.parsed.machine()
        #expect(
            machine.headParsed(bodyIsHere: false, nothingFollows: true, buffersBodies: true) == .ask
        )
        #expect(machine.isReplayable)
    }

    @Test func `a body is read first unless it is here, must be invited, or is not kept`() {
        for (isHere, expects, buffers) in [
            (false, false, true), (true, false, true), (false, true, true), (false, false, false),
        ] {
            var machine = Situation.parsed.machine {
                $0.hasBody = true
                $0.expectsContinue = expects
            }
            let start = machine.headParsed(
                bodyIsHere: isHere, nothingFollows: !isHere, buffersBodies: buffers)
            let isBuffered = !isHere && !expects && buffers
            #expect(start == (isBuffered ? .buffer : .ask))
            #expect(machine.isReplayable == isHere)
        }
    }

    @Test func `a stored body is asked for a slot with when it is whole or its room is full`() {
        let expected: [(BodyFill, ExchangeMachine.Stored)] = [
            (.ended, .ask), (.full, .askWithMore), (.starved, .read), (.bad, .answer(.badRequest)),
        ]
        for (fill, stored) in expected {
            var machine = Situation.buffering.machine()
            #expect(machine.bodyStored(fill, isTooLarge: false) == stored)
            #expect(machine.isReplayable == (fill == .ended))
            var large = Situation.buffering.machine()
            #expect(large.bodyStored(fill, isTooLarge: true) == .answer(.bodyTooLarge))
        }
    }

    @Test func `who may not be repeated is not repeated with a whole body either`() {
        var machine = Situation.buffering.machine { $0.isIdempotent = false }
        _ = machine.bodyStored(.ended, isTooLarge: false)
        #expect(machine.isReplayable == false)
    }

    @Test func `a session that only the successor knows ends the connection without a word`() {
        var lost = Situation.grant
        lost.affinity = .lost
        var machine = Situation.inQueue.machine()
        #expect(
            machine.granted(lost, limit: nil, isLate: true, now: Situation.now) == .abandon)
        #expect(machine.returnSlot() == .request(lost, isAnswered: false))
        var kept = Situation.inQueue.machine()
        #expect(
            kept.granted(Situation.grant, limit: nil, isLate: true, now: Situation.now) == .connect)
        var refused = Situation.parsed.machine()
        let refusal = Refusal(reason: .sessionLost, retryAfterSeconds: 1)
        #expect(refused.refused(refusal, isLate: true) == .abandon)
    }

    @Test func `a shared session without room is given up once, and only when asked at once`() {
        let refusal = Refusal(reason: .processQueueFull, retryAfterSeconds: 1)
        var machine = Situation.parsed.machine()
        machine.sharesPin = true
        machine.admission.claim = .init(
            session: SessionID(high: 1, low: 2), process: Incarnation(7), isFromClient: false)
        var queued = machine
        #expect(machine.refused(refusal, isLate: false) == .ask)
        #expect(machine.admission.claim == nil)
        #expect(machine.mayFollow == false)
        #expect(machine.refused(refusal, isLate: false) == .answer(.refusal(refusal)))
        queued.queued(Situation.ticket)
        #expect(queued.refused(refusal, isLate: false) == .answer(.refusal(refusal)))
    }

    @Test func `who has caused too many starts waits, the others may cause one`() {
        var machine = Situation.parsed.machine()
        machine.admission.maySpawn = false
        let problem = Problem.tooManySpawns(retryAfterSeconds: 4)
        #expect(machine.needsSpawn(wait: 4) == .answer(problem))
        #expect(machine.admission.maySpawn == false)
        #expect(machine.needsSpawn(wait: nil) == .ask)
        #expect(machine.admission.maySpawn)
    }

    @Test func `a grant that comes when the queue was left is given back`() {
        var machine = Situation.inQueue.machine()
        #expect(machine.ticket == Situation.ticket)
        #expect(machine.leaveQueue() == Situation.ticket)
        machine.answered()
        #expect(machine.ticket == nil)
        #expect(
            machine.granted(Situation.grant, limit: nil, isLate: false, now: Situation.now)
                == .giveBack)
        #expect(machine.returnSlot() == .none)
    }
}
