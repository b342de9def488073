internal import Testing

@testable internal import ReverseProxy

@Suite struct FollowersTests {
    private static let leader = member(7, serial: 3)

    private static func member(_ exchange: Int, serial: UInt32 = 1) -> Followers.Member {
        Followers.Member(exchange: exchange, serial: serial)
    }

    @Test func `those who wait are released in the order in which they came`() {
        var followers = Followers()
        followers.lead(Self.leader)
        followers.follow(Self.leader, Self.member(9))
        followers.follow(Self.leader, Self.member(8))
        #expect(followers.release(Self.leader) == [Self.member(9), Self.member(8)])
    }

    @Test func `who is released is released once, and the leader leads no longer`() {
        var followers = Followers()
        followers.lead(Self.leader)
        followers.follow(Self.leader, Self.member(8))
        #expect(followers.leader(at: 7) == Self.leader)
        #expect(followers.release(Self.leader) == [Self.member(8)])
        #expect(followers.leader(at: 7) == nil)
        #expect(followers.release(Self.leader) == [])
    }

    @Test func `a later exchange at the leader's index releases nobody`() {
        var followers = Followers()
        followers.lead(Self.leader)
        followers.follow(Self.leader, Self.member(8))
        #expect(followers.release(Self.member(7, serial: 5)) == [])
        #expect(followers.leader(at: 7) == Self.leader)
    }

    @Test func `an exchange that is queued once more keeps those who wait for it`() {
        var followers = Followers()
        followers.lead(Self.leader)
        followers.follow(Self.leader, Self.member(8))
        followers.lead(Self.leader)
        #expect(followers.release(Self.leader) == [Self.member(8)])
    }

    @Test func `a later exchange at the index of one that led begins with nobody`() {
        var followers = Followers()
        followers.lead(Self.leader)
        followers.follow(Self.leader, Self.member(8))
        let later = Self.member(7, serial: 5)
        followers.lead(later)
        #expect(followers.leader(at: 7) == later)
        #expect(followers.release(later) == [])
    }

    @Test func `without a leader nobody leads and nobody waits`() {
        var followers = Followers()
        #expect(followers.leader(at: -1) == nil)
        #expect(followers.release(Self.leader) == [])
    }
}
