internal import Testing

@testable internal import Supervision

@Suite struct EventSourceTests {
    @Test func `a token holds its source and its id`() {
        for raw in 0..<16 as Range<UInt64> {
            guard let source = EventSource(rawValue: raw) else { continue }
            for id in [0, 1, 4_194_304, 1 << 59] as [UInt64] {
                let (found, foundID) = EventSource.split(source.token(id))
                #expect(found == source)
                #expect(foundID == id)
            }
        }
    }
}
