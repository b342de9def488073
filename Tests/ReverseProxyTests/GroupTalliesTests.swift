internal import Backends
internal import Testing

@testable internal import ReverseProxy

@Suite struct GroupTalliesTests {
    @Test func `what loops count of a group is summed by its entry`() {
        let one = GroupTallies()
        let other = GroupTallies()
        one.grow(to: 2)[1].countRequest(status: 200, nanoseconds: 3_000_000)
        other.grow(to: 2)[1].countRequest(status: 503, nanoseconds: 70_000_000_000)
        other.grow(to: 2)[1].countWait(nanoseconds: 0)
        var traffic: [GroupTraffic] = []
        one.add(to: &traffic)
        other.add(to: &traffic)
        #expect(traffic.count == 2 && traffic[0] == GroupTraffic())
        #expect(traffic[1].requestsByStatusClass == [0, 1, 0, 0, 1])
        #expect(traffic[1].durations.total == 2 && traffic[1].durations.counts[15] == 1)
        #expect(traffic[1].durations.seconds == 70.003)
        #expect(traffic[1].waits.total == 1 && traffic[1].waits.counts[0] == 1)
    }

    @Test func `groups that a reload adds take nothing from the others`() {
        let tallies = GroupTallies()
        let before = tallies.grow(to: 1)
        before[0].countRequest(status: 404, nanoseconds: 1)
        let after = tallies.grow(to: 3)
        after[0].countRequest(status: 404, nanoseconds: 1)
        after[2].countRequest(status: 101, nanoseconds: 1)
        var traffic: [GroupTraffic] = []
        tallies.add(to: &traffic)
        #expect(traffic.map(\.requestsByStatusClass[3]) == [2, 0, 0])
        #expect(traffic[2].requestsByStatusClass[0] == 1)
    }

    @Test(arguments: [UInt16(0), 7, 999, .max])
    func `no status is a trap`(status: UInt16) {
        let tallies = GroupTallies()
        tallies.grow(to: 1)[0].countRequest(status: status, nanoseconds: .min)
        var traffic: [GroupTraffic] = []
        tallies.add(to: &traffic)
        #expect(traffic[0].durations.total == 1)
    }
}
