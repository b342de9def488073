internal import Testing

@testable internal import ConfigFile

@Suite struct SuggestionTests {
    static let known = ["threads", "processes", "queue", "queue_timeout", "env"]

    @Test(arguments: [
        ("treads", "threads"), ("thread", "threads"), ("htreads", "threads"),
        ("Threads", "threads"), ("quue_timeout", "queue_timeout"), ("procesess", "processes"),
    ])
    func `the nearest name is found`(name: String, meant: String) {
        #expect(Suggestion.nearest(to: name, among: Self.known) == meant)
    }

    @Test(arguments: ["", "xyz", "colour", "no", String(repeating: "threads", count: 50)])
    func `nothing is suggested for what is far from all`(name: String) {
        #expect(Suggestion.nearest(to: name, among: Self.known) == nil)
    }
}
