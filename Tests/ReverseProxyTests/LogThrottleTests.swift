internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

@Suite struct LogThrottleTests {
    private static let second: Int64 = 1_000_000_000

    private final class Logged: Sendable {
        let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
    }

    @Test func `the first is logged at once, the next after ten seconds with the number between`() {
        let logged = Logged()
        let throttle = LogThrottle { text, suppressed in
            logged.lines.withLock { $0.append("\(text) \(suppressed)") }
        }
        throttle.note(.accepting, now: 5, "one")
        throttle.note(.accepting, now: 6, "two")
        throttle.note(.accepting, now: 10 * Self.second, "three")
        #expect(logged.all == ["one 0"])
        throttle.note(.accepting, now: 10 * Self.second + 5, "four")
        throttle.note(.accepting, now: 20 * Self.second + 5, "five")
        #expect(logged.all == ["one 0", "four 2", "five 0"])
    }

    @Test func `one kind does not keep another from being logged`() {
        let logged = Logged()
        let throttle = LogThrottle { text, _ in logged.lines.withLock { $0.append(text) } }
        for kind in LogThrottle.Kind.allCases { throttle.note(kind, now: 1, "\(kind)") }
        #expect(logged.all == LogThrottle.Kind.allCases.map { "\($0)" })
    }

    @Test func `one group does not keep another from being logged`() {
        let logged = Logged()
        let throttle = LogThrottle { text, suppressed in
            logged.lines.withLock { $0.append("\(text) \(suppressed)") }
        }
        for group in [0, 1, 0] {
            throttle.note(.serverTLS, of: group, now: 1, "group \(group)")
        }
        #expect(logged.all == ["group 0 0", "group 1 0"])
    }
}
