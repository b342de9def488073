internal import COpenSSL
internal import Reactor
internal import Testing

@Suite struct TLSClientCertificateTests {
    private let folder: CertificateFolder
    private let sockets: SocketPair
    private let authority: CertificateFolder.Authority

    init() throws {
        folder = try CertificateFolder()
        sockets = try SocketPair()
        authority = try folder.authority()
    }

    private func server() throws -> TLSStream {
        let context = try serverContext([folder.files("a")], clientAuthority: authority.file)
        return try #require(TLSStream(accepting: context, descriptor: sockets.server))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client with a certificate of the authority gets in`(_ version: Int32) throws {
        let server = try server()
        defer { server.free() }
        let identity = try folder.files("client", name: "Alice, or\nBob", by: authority)
        let client = try RawClient(sockets.client, version: version, identity: identity)
        #expect(shakeHands(server, client) == .done)
        // Escaped, so that it can stand in a log line.
        #expect(server.clientCertificateSubject == #"CN=Alice\, or\0ABob"#)
    }

    @Test func `a client without a certificate is refused with the alert`() throws {
        let server = try server()
        defer { server.free() }
        let client = try RawClient(sockets.client)
        #expect(TLSHandshakeTests.kind(shakeHands(server, client)) == .certificateMissing)
        _ = client.read()
        // certificate_required, RFC 8446 section 6.
        #expect(client.alert == 116)
    }

    @Test func `a certificate of another authority is refused with the alert`() throws {
        let server = try server()
        defer { server.free() }
        let other = try folder.authority("other")
        let identity = try folder.files("client", by: other)
        let client = try RawClient(sockets.client, identity: identity)
        let outcome = shakeHands(server, client)
        #expect(TLSHandshakeTests.kind(outcome) == .certificateRefused)
        guard case .failed(let problem) = outcome else { return }
        #expect(problem.description.hasPrefix("certificate refused: unable to get"))
        _ = client.read()
        #expect(client.alert == SSL_AD_UNKNOWN_CA)
    }

    @Test func `a certificate that has expired is refused with the alert`() throws {
        let server = try server()
        defer { server.free() }
        let identity = try folder.files("client", days: -5 ..< -1, by: authority)
        let client = try RawClient(sockets.client, identity: identity)
        #expect(TLSHandshakeTests.kind(shakeHands(server, client)) == .certificateRefused)
        _ = client.read()
        #expect(client.alert == SSL_AD_CERTIFICATE_EXPIRED)
    }

    @Test func `a listener without an authority asks for no certificate`() throws {
        let context = try serverContext([folder.files("a")])
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        defer { server.free() }
        let identity = try folder.files("client", by: authority)
        #expect(shakeHands(server, try RawClient(sockets.client, identity: identity)) == .done)
        #expect(server.clientCertificateSubject == nil)
    }
}
