internal import Backends
internal import Testing

@testable internal import Exchanges

/// Two ways through a tunnel, each with an end of its own.
@Suite struct TunnelTests {
    @Test func `a tunnel is over when both sides have ended and know it of each other`() {
        var tunnel = Tunnel(isWebSocket: false, now: 0)
        #expect(tunnel.endsToProcess() == false, "the client has not ended")
        tunnel.clientEnded()
        #expect(tunnel.endsToProcess() == true)
        #expect(tunnel.endsToProcess() == false, "once")
        tunnel.clientEnded()
        #expect(tunnel.toProcess == .closed)
        #expect(tunnel.isOver == false)
        tunnel.processEnded()
        #expect(tunnel.endsToClient() == true)
        #expect(tunnel.isOver)
    }

    @Test func `traffic renews the lease at most once a second`() {
        var tunnel = Tunnel(isWebSocket: false, now: 0)
        let renewals = [999_999_999, 1_000_000_000, 1_999_999_999, 2_000_000_000].map {
            passes([1, 2, 3], through: &tunnel, now: $0)
        }
        #expect(renewals == [false, true, false, true])
    }

    @Test func `a ping renews no lease, and a message does`() {
        var tunnel = Tunnel(isWebSocket: true, now: 0)
        let ping = passes([0x89, 0x00], through: &tunnel, now: 2_000_000_000)
        #expect(ping == false)
        let text = passes([0x81, 0x01, 0x41], through: &tunnel, now: 2_000_000_000)
        #expect(text == true)
    }

    @Test func `a close frame goes out once, between two others, when it is wanted`() {
        var tunnel = Tunnel(isWebSocket: true, now: 0)
        #expect(tunnel.sendsClose(now: 0) == false, "no close was requested")
        #expect(tunnel.close(now: 10) == true)
        #expect(tunnel.close(now: 20) == false)
        _ = passes([0x81, 0x02, 0x41], through: &tunnel, now: 0)
        #expect(tunnel.sendsClose(now: 30) == false, "in the middle of a frame")
        _ = passes([0x42], through: &tunnel, now: 0)
        #expect(tunnel.sendsClose(now: 30) == true)
        #expect(tunnel.dropsToClient)
        #expect(tunnel.sendsClose(now: 30, isLast: true) == false)
        let latest = 10 + Tunnel.closingHandshake.nanoseconds
        #expect(tunnel.deadline(after: .seconds(60), now: 40) == latest)
    }

    @Test func `at the last moment a close frame goes out unasked`() {
        var tunnel = Tunnel(isWebSocket: true, now: 0)
        #expect(tunnel.sendsClose(now: 0, isLast: true) == true)
        var other = Tunnel(isWebSocket: false, now: 0)
        #expect(other.close(now: 0) == false)
        #expect(other.sendsClose(now: 0, isLast: true) == false)
    }

    private func passes(_ bytes: [UInt8], through tunnel: inout Tunnel, now: Int64) -> Bool {
        tunnel.passes(toClient: bytes.span, now: now)
    }
}
