internal import Testing

@testable internal import ReverseProxy

@Suite struct ResponseSourceTests {
    private static let all: [ResponseSource] = [
        .undecided, .process(3), .finished, .ownAnswer, .file(4), .fileSent,
    ]

    @Test func `a response has one source at a time, and an answer of our own is the last`() {
        let allowed: [(ResponseSource, ResponseSource)] = [
            (.undecided, .process(3)), (.undecided, .ownAnswer), (.process(3), .undecided),
            (.process(3), .finished), (.finished, .ownAnswer), (.undecided, .file(4)),
            (.undecided, .fileSent), (.file(4), .fileSent),
        ]
        for from in Self.all {
            for to in Self.all {
                let isAllowed = allowed.contains { $0 == (from, to) }
                #expect(from.leads(to: to) == isAllowed, "\(from) to \(to)")
            }
        }
    }

    @Test func `there is a connection only while a process answers`() {
        #expect(Self.all.map(\.connection) == [nil, 3, nil, nil, nil, nil])
        #expect(ResponseSource(process: 7).connection == 7)
    }

    @Test func `there is a transfer only while a file is sent`() {
        #expect(Self.all.map(\.transfer) == [nil, nil, nil, nil, 4, nil])
        #expect(Self.all.map(\.isFile) == [false, false, false, false, true, true])
    }
}
