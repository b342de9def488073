internal import Testing

@testable internal import ReverseProxy

@Suite struct CoalescedRequestsTests {
    private static let leader = member(7, serial: 3)

    private static func member(_ exchange: Int, serial: UInt32 = 1) -> CoalescedRequests.Member {
        CoalescedRequests.Member(exchange: exchange, serial: serial)
    }

    @Test func `those who wait are released in the order in which they came`() {
        var coalesced = CoalescedRequests()
        coalesced.lead(Self.leader)
        coalesced.follow(Self.leader, Self.member(9))
        coalesced.follow(Self.leader, Self.member(8))
        #expect(coalesced.release(Self.leader) == [Self.member(9), Self.member(8)])
    }

    @Test func `who is released is released once, and the leader leads no longer`() {
        var coalesced = CoalescedRequests()
        coalesced.lead(Self.leader)
        coalesced.follow(Self.leader, Self.member(8))
        #expect(coalesced.leader(at: 7) == Self.leader)
        #expect(coalesced.release(Self.leader) == [Self.member(8)])
        #expect(coalesced.leader(at: 7) == nil)
        #expect(coalesced.release(Self.leader) == [])
    }

    @Test func `a later exchange at the leader's index releases no follower`() {
        var coalesced = CoalescedRequests()
        coalesced.lead(Self.leader)
        coalesced.follow(Self.leader, Self.member(8))
        #expect(coalesced.release(Self.member(7, serial: 5)) == [])
        #expect(coalesced.leader(at: 7) == Self.leader)
    }

    @Test func `an exchange that is queued once more keeps those who wait for it`() {
        var coalesced = CoalescedRequests()
        coalesced.lead(Self.leader)
        coalesced.follow(Self.leader, Self.member(8))
        coalesced.lead(Self.leader)
        #expect(coalesced.release(Self.leader) == [Self.member(8)])
    }

    @Test func `a later exchange at the index of one that led begins without followers`() {
        var coalesced = CoalescedRequests()
        coalesced.lead(Self.leader)
        coalesced.follow(Self.leader, Self.member(8))
        let later = Self.member(7, serial: 5)
        coalesced.lead(later)
        #expect(coalesced.leader(at: 7) == later)
        #expect(coalesced.release(later) == [])
    }

    @Test func `without a leader no exchange leads and none waits`() {
        var coalesced = CoalescedRequests()
        #expect(coalesced.leader(at: -1) == nil)
        #expect(coalesced.release(Self.leader) == [])
    }
}
