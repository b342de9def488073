internal import Testing

@testable internal import Backends

/// The one table of words for the log, `/stats` and other tellers of events.
@Suite struct EventWordsTests {
    private static let process = ProcessHandle(index: 3, serial: 1)
    private static let report = ExitReport(reason: "exited with status 1", status: 1)

    /// One of each.
    private static let events: [RegistryEvent] = [
        .spawning(process, .minimum), .ready(process, after: .milliseconds(210)),
        .startFailed(process, report, failuresInARow: 2, backoff: .seconds(2)),
        .draining(process, .maxAge), .reinstated(process), .stopping(process, .idle),
        .killing(process, .idle), .gone(process, .idle, nil), .sessionsLost(process, count: 4),
        .down(process, retryIn: .seconds(1)), .up(process), .answering(process), .adopted(process),
        .recycling(process, .maxAge), .recyclingWaits(leaving: 2), .rolloutStarted(generation: 2),
        .rolloutDone(generation: 2), .rolloutFailed(generation: 2, report),
        .scaled(minimum: 1, maximum: 2), .failing(retryIn: .seconds(1)), .recovered,
        .waitingForRoom(.minimum), .leasesFull(count: 9), .shed(.queueFull),
    ]

    @Test func `every event has a kind, a sentence and a line in the log of its own`() {
        let words = Self.events.map(\.words)
        #expect(Set(words.map(\.kind)).count == words.count)
        #expect(Set(words.map(\.sentence)).count == words.count)
        for word in words {
            #expect(word.kind.wholeMatch(of: #/[a-z_]+/#) != nil, "\(word.kind)")
            #expect(Set(word.facts.map(\.name)).count == word.facts.count, "\(word.kind)")
            #expect(word.process == nil || word.process == Self.process)
        }
    }

    @Test func `a decision has the words of its event, and a refusal is none`() {
        let log = DecisionLog()
        log.append(
            Self.events, name: "shop", at: MonotonicInstant(nanoseconds: 5), label: { _ in "k3f9" })
        let decisions = log.since(0, limit: .max)
        #expect(decisions.map(\.kind) == Self.events.dropLast().map(\.words.kind))
        #expect(decisions.first?.process == "k3f9" && decisions.first?.reason == "min")
        #expect(decisions.last?.process == "" && decisions.last?.detail == "9 sessions")
    }

    @Test func `a process that ended unasked is a warning, and one that was stopped is none`() {
        let unasked = RegistryEvent.gone(Self.process, .exited, Self.report).words
        #expect(unasked.level == .warning && unasked.reason == "exited")
        #expect(unasked.sentence == "process ended by itself: exited with status 1")
        let stopped = RegistryEvent.gone(Self.process, .idle, Self.report).words
        #expect(stopped.level == .info)
        #expect(stopped.facts == [.init(name: "reason", value: .text("idle"))])
    }
}
