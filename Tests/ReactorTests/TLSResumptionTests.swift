internal import COpenSSL
internal import Reactor
internal import Synchronization
internal import Testing

@Suite struct TLSResumptionTests {
    private let folder: CertificateFolder
    private let tickets = TLSTicketKeys()

    init() throws { folder = try CertificateFolder() }

    private struct Visit {
        var isResumed: Bool
        var session: RawClient.Session
        /// The server has sent one in this visit.
        var hasNewTicket: Bool
    }

    /// One connection: a handshake, a byte each way so that tickets are read, and the end.
    private func visit(
        _ context: TLSServerContext, with session: RawClient.Session? = nil,
        version: Int32? = nil, name: String? = nil
    ) throws -> Visit {
        let sockets = try SocketPair()
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        defer { server.free() }
        let client = try RawClient(
            sockets.client, name: name, version: version, session: session)
        try #require(shakeHands(server, client) == .done)
        let output = TestBlock([1])
        #expect(server.send(from: &output.block) == .moved(1))
        #expect(client.read() == [1])
        // Without a close_notify OpenSSL's client would take the session for broken.
        server.shutdown()
        _ = client.read()
        _ = unsafe SSL_shutdown(client.ssl)
        let newest = try client.session()
        let isNew = session.map { Self.ticket($0) != Self.ticket(newest) } ?? true
        return Visit(isResumed: server.isResumed, session: newest, hasNewTicket: isNew)
    }

    private static func ticket(_ session: RawClient.Session) -> [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        unsafe SSL_SESSION_get0_ticket(session.pointer, &bytes, &count)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    private func context() throws -> TLSServerContext {
        try serverContext([folder.files("a")], tickets: tickets)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client resumes with a new context that has the same keys`(_ version: Int32) throws {
        let first = try visit(context(), version: version)
        #expect(!first.isResumed)
        let second = try visit(context(), with: first.session, version: version)
        #expect(second.isResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client that keeps its newest ticket comes back every time`(_ version: Int32) throws {
        let context = try context()
        var session = try visit(context, version: version).session
        for _ in 0..<10 {
            let next = try visit(context, with: session, version: version)
            #expect(next.isResumed)
            session = next.session
        }
    }

    @Test func `each resumption of TLS 1.3 gives the client a fresh ticket`() throws {
        let context = try context()
        let first = try visit(context, version: TLS1_3_VERSION)
        let second = try visit(context, with: first.session, version: TLS1_3_VERSION)
        #expect(second.hasNewTicket)
        #expect(try visit(context, with: second.session, version: TLS1_3_VERSION).hasNewTicket)
    }

    @Test func `a ticket of TLS 1.2 serves again while its key is in use`() throws {
        let context = try context()
        let first = try visit(context, version: TLS1_2_VERSION)
        let second = try visit(context, with: first.session, version: TLS1_2_VERSION)
        #expect(!second.hasNewTicket)
        tickets.rotate()
        #expect(try visit(context, with: first.session, version: TLS1_2_VERSION).hasNewTicket)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client of the second certificate comes back too`(_ version: Int32) throws {
        let files = try [folder.files("a"), folder.files("b", name: "b.example")]
        let first = try visit(
            serverContext(files, tickets: tickets), version: version, name: "b.example")
        let second = try visit(
            serverContext(files, tickets: tickets), with: first.session, version: version,
            name: "b.example")
        #expect(second.isResumed)
    }

    @Test func `a client does not come back where other keys are`() throws {
        let first = try visit(context())
        let other = try serverContext([folder.files("a")])
        #expect(try !visit(other, with: first.session).isResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a ticket outlives a rotation and is replaced by one of the new key`(
        _ version: Int32
    ) throws {
        let first = try visit(context(), version: version)
        tickets.rotate()
        let second = try visit(context(), with: first.session, version: version)
        #expect(second.isResumed)
        for _ in 0..<3 { tickets.rotate() }
        // The first ticket's key is forgotten by now, the second's is not.
        #expect(try visit(context(), with: second.session, version: version).isResumed)
    }

    @Test func `a ticket of four keys ago is worth nothing`() throws {
        let first = try visit(context())
        for _ in 0..<4 { tickets.rotate() }
        #expect(try !visit(context(), with: first.session).isResumed)
    }

    /// A clock that a test sets.
    private final class HandClock: Sendable {
        let now = Atomic<Int64>(0)
    }

    /// Whether a ticket of a fresh key still counts `uses` times of use later, taken one by one.
    private func isAccepted(after uses: [Int64]) throws -> Bool {
        let clock = HandClock()
        let tickets = TLSTicketKeys { clock.now.load(ordering: .relaxed) }
        let context = try serverContext([folder.files("a")], tickets: tickets)
        let first = try visit(context)
        for time in uses {
            clock.now.store(time, ordering: .relaxed)
            _ = try visit(context)
        }
        return try visit(context, with: first.session).isResumed
    }

    @Test func `keys are rotated by themselves and the last of a day are accepted`() throws {
        let use = TLSTicketKeys.useTime
        #expect(try isAccepted(after: [use, 2 * use, 3 * use, 4 * use - 1]))
        #expect(try !isAccepted(after: [use, 2 * use, 3 * use, 4 * use]))
    }

    @Test func `after a long sleep no old ticket is accepted`() throws {
        #expect(try isAccepted(after: [4 * TLSTicketKeys.useTime - 1]))
        #expect(try !isAccepted(after: [4 * TLSTicketKeys.useTime]))
    }

    @Test func `a session made without a client certificate is none where one is required`() throws
    {
        let authority = try folder.authority()
        let first = try visit(context())
        let strict = try serverContext(
            [folder.files("a")], clientAuthority: authority.file, tickets: tickets)
        let sockets = try SocketPair()
        let server = try #require(TLSStream(accepting: strict, descriptor: sockets.server))
        defer { server.free() }
        let client = try RawClient(sockets.client, session: first.session)
        #expect(TLSHandshakeTests.kind(shakeHands(server, client)) == .certificateMissing)
    }
}
