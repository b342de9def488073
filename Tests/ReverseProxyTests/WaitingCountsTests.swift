internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

@Suite struct WaitingCountsTests {
    @Test func `what is waited for is listed by kind, singular or plural, and nothing else`() {
        var counts = WaitingCounts()
        #expect(counts.text.isEmpty)
        counts[.webSocket] = 2
        counts[.upload] = 1
        #expect(counts.text == "1 upload, 2 WebSockets")
    }

    @Test func `the sum of all loops is reported once, by the last`() {
        let told = Mutex<[String]>([])
        let tally = WaitingTally(loops: 2) { counts in told.withLock { $0.append(counts.text) } }
        var counts = WaitingCounts()
        counts[.request] = 1
        tally.add(counts)
        #expect(told.withLock { $0 }.isEmpty)
        tally.add(counts)
        #expect(told.withLock { $0 } == ["2 requests that processes work on"])
    }
}
