internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

@Suite struct MishapsTests {
    private static let second: Int64 = 1_000_000_000

    private final class Told: Sendable {
        let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
    }

    @Test func `the first is told at once, the next after ten seconds with the number between`() {
        let told = Told()
        let mishaps = Mishaps { text, unsaid in
            told.lines.withLock { $0.append("\(text) \(unsaid)") }
        }
        mishaps.note(.accepting, now: 5, "one")
        mishaps.note(.accepting, now: 6, "two")
        mishaps.note(.accepting, now: 10 * Self.second, "three")
        #expect(told.all == ["one 0"])
        mishaps.note(.accepting, now: 10 * Self.second + 5, "four")
        mishaps.note(.accepting, now: 20 * Self.second + 5, "five")
        #expect(told.all == ["one 0", "four 2", "five 0"])
    }

    @Test func `one kind does not keep another from being told`() {
        let told = Told()
        let mishaps = Mishaps { text, _ in told.lines.withLock { $0.append(text) } }
        for kind in Mishaps.Kind.allCases { mishaps.note(kind, now: 1, "\(kind)") }
        #expect(told.all == Mishaps.Kind.allCases.map { "\($0)" })
    }
}
