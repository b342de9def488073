internal import Testing

@testable internal import ReverseProxy

@Suite struct ResponseSourceTests {
    private static let all: [ResponseSource] = [
        .undecided, .process(3), .finished, .ownAnswer,
    ]

    @Test func `a response has one source at a time, and an answer of our own is the last`() {
        let allowed: [(ResponseSource, ResponseSource)] = [
            (.undecided, .process(3)), (.undecided, .ownAnswer), (.process(3), .undecided),
            (.process(3), .finished), (.finished, .ownAnswer),
        ]
        for from in Self.all {
            for to in Self.all {
                let isAllowed = allowed.contains { $0 == (from, to) }
                #expect(from.leads(to: to) == isAllowed, "\(from) to \(to)")
            }
        }
    }

    @Test func `there is a connection only while a process answers`() {
        #expect(Self.all.map(\.connection) == [nil, 3, nil, nil])
        #expect(ResponseSource(process: 7).connection == 7)
    }
}
