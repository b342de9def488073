internal import HTTPWire
internal import Testing

@testable internal import ReverseProxy

@Suite struct SpawnLimiterTests {
    private static let second: Int64 = 1_000_000_000

    private func address(_ text: String) throws -> IPAddress {
        let bytes = Array(text.utf8)
        let address = IPAddress(text: bytes.span)
        return try #require(address)
    }

    @Test func `an address may cause so many starts a minute and no more`() throws {
        let limiter = SpawnLimiter()
        let one = try address("10.0.0.1")
        for _ in 0..<3 {
            #expect(limiter.secondsUntilAllowed(one, now: 0, limit: 3) == nil)
        }
        #expect(limiter.secondsUntilAllowed(one, now: 20 * Self.second, limit: 3) == 40)
        #expect(limiter.secondsUntilAllowed(one, now: 60 * Self.second, limit: 3) == nil)
    }

    @Test func `the wait is rounded up`() throws {
        let limiter = SpawnLimiter()
        let one = try address("10.0.0.1")
        _ = limiter.secondsUntilAllowed(one, now: 0, limit: 1)
        #expect(limiter.secondsUntilAllowed(one, now: 60 * Self.second - 1, limit: 1) == 1)
    }

    @Test func `addresses of IPv4 have their own account each`() throws {
        let limiter = SpawnLimiter()
        #expect(limiter.secondsUntilAllowed(try address("10.0.0.1"), now: 0, limit: 1) == nil)
        #expect(limiter.secondsUntilAllowed(try address("10.0.0.2"), now: 0, limit: 1) == nil)
        #expect(limiter.secondsUntilAllowed(try address("10.0.0.1"), now: 0, limit: 1) == 60)
    }

    @Test func `a network of 64 bits has one account`() throws {
        let limiter = SpawnLimiter()
        let here = try address("2001:db8::1")
        let beside = try address("2001:db8::ffff:1")
        let elsewhere = try address("2001:db8:0:1::1")
        #expect(limiter.secondsUntilAllowed(here, now: 0, limit: 1) == nil)
        #expect(limiter.secondsUntilAllowed(beside, now: 0, limit: 1) == 60)
        #expect(limiter.secondsUntilAllowed(elsewhere, now: 0, limit: 1) == nil)
    }

    @Test func `neither unix sockets nor a limit of 0 are limited`() throws {
        let limiter = SpawnLimiter()
        let one = try address("10.0.0.1")
        for _ in 0..<10 {
            #expect(limiter.secondsUntilAllowed(nil, now: 0, limit: 1) == nil)
            #expect(limiter.secondsUntilAllowed(one, now: 0, limit: 0) == nil)
        }
    }

    @Test func `more addresses than the table has places do not fill the memory`() {
        let limiter = SpawnLimiter()
        for number in 0..<3 * SpawnLimiter.capacity {
            let other = IPAddress(v4: UInt32(number))
            #expect(limiter.secondsUntilAllowed(other, now: 0, limit: 1) == nil)
        }
        let last = IPAddress(v4: UInt32(3 * SpawnLimiter.capacity - 1))
        #expect(limiter.secondsUntilAllowed(last, now: 0, limit: 1) == 60)
    }
}
