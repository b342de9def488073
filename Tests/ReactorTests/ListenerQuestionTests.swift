internal import Testing

@testable internal import Reactor

/// What takes connections to an address, by the kernel's word.
@Suite struct ListenerQuestionTests {
    private let question = ListenerQuestion()

    private func listens(_ host: String, _ port: UInt16) throws -> Bool? {
        question.hasListener(at: try .tcp(host, port))
    }

    @Test(arguments: ["127.0.0.1", "::1", "0.0.0.0"])
    func `a listener is seen from its beginning to its end`(host: String) throws {
        let listener = try ListeningSocket(try .tcp(host, 0), backlog: 1)
        let port = UInt16(listener.address.port)
        let asked = host == "0.0.0.0" ? "127.0.0.1" : host
        #expect(try listens(asked, port) == true)
        listener.close()
        #expect(try listens(asked, port) == false)
    }

    @Test func `a listener of the other family is none`() throws {
        let listener = try ListeningSocket(try .tcp("127.0.0.1", 0), backlog: 1)
        defer { listener.close() }
        #expect(try listens("::1", UInt16(listener.address.port)) == false)
    }

    @Test func `a unix socket cannot be asked about`() throws {
        #expect(question.hasListener(at: try .unix("/nowhere")) == nil)
    }
}
