internal import Testing

@testable internal import Supervision

@Suite struct SweepTests {
    @Test func `a look is wanted until it begins`() {
        var sweep = Sweep()
        #expect(!sweep.isDue(now: .max))
        sweep.want()
        #expect(sweep.isDue(now: 0))
        sweep.begin()
        sweep.repeatLater(false, now: 0)
        #expect(!sweep.isDue(now: .max))
        #expect(sweep.repeatAt == nil)
    }

    @Test func `what could not be decided on is looked at later each time and not for ever`() {
        var sweep = Sweep()
        sweep.want()
        var now: Int64 = 0
        var pauses: [Int64] = []
        repeat {
            sweep.begin()
            sweep.repeatLater(true, now: now)
            guard let next = sweep.repeatAt else { break }
            #expect(!sweep.isDue(now: next - 1))
            #expect(sweep.isDue(now: next))
            pauses.append(next - now)
            now = next
        } while pauses.count < 100
        #expect(pauses.count < 20)
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $1 == 2 * $0 })
        // Something happens: it begins again.
        sweep.want()
        sweep.begin()
        sweep.repeatLater(true, now: now)
        #expect(sweep.repeatAt == now + pauses[0])
    }

    @Test func `the last strays have their time from the first question on`() throws {
        var strays = Strays()
        #expect(strays.waitsUntil == nil)
        let atFirst = strays.haveHadTheirTime(now: 5)
        let until = try #require(strays.waitsUntil)
        let before = strays.haveHadTheirTime(now: until - 1)
        #expect(strays.waitsUntil == until)
        let after = strays.haveHadTheirTime(now: until)
        #expect([atFirst, before, after] == [false, false, true])
    }
}
