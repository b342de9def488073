internal import COpenSSL
internal import Glibc
internal import Reactor
internal import Testing

@Suite struct TLSHandshakeTests {
    private let folder: CertificateFolder
    private let sockets: SocketPair

    init() throws {
        folder = try CertificateFolder()
        sockets = try SocketPair()
    }

    private func server(_ context: TLSServerContext) throws -> TLSStream {
        try #require(TLSStream(accepting: context, descriptor: sockets.server))
    }

    @Test func `a client of TLS 1.3 gets in and bytes go both ways`() throws {
        let context = try serverContext([folder.files("a")])
        let server = try server(context)
        defer { server.free() }
        let client = try RawClient(sockets.client)
        #expect(shakeHands(server, client) == .done)
        #expect(server.version.description == "TLSv1.3")
        #expect(server.cipher.hasPrefix("TLS_"))
        let input = TestBlock()
        #expect(client.write(Array("ping".utf8)) == 4)
        #expect(server.receive(into: &input.block) == .moved(4))
        #expect(input.drain() == Array("ping".utf8))
        #expect(server.receive(into: &input.block) == .wouldBlock)
        let output = TestBlock(Array("pong".utf8))
        #expect(server.send(from: &output.block) == .moved(4))
        #expect(client.read() == Array("pong".utf8))
    }

    @Test func `a client of TLS 1.2 gets in with forward secrecy and AEAD`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, version: TLS1_2_VERSION)
        #expect(shakeHands(server, client) == .done)
        #expect(server.version.description == "TLSv1.2")
        #expect(server.cipher.hasPrefix("ECDHE-ECDSA-"))
    }

    @Test(arguments: [
        ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "AES128"),
        ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305", "AES256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "CHACHA20"),
    ])
    func `the server's order counts unless the client prefers ChaCha20`(
        _ offered: String, _ chosen: String
    ) throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, version: TLS1_2_VERSION)
        _ = unsafe SSL_set_cipher_list(client.ssl, offered)
        #expect(shakeHands(server, client) == .done)
        #expect(server.cipher.contains(chosen))
    }

    @Test(arguments: [
        "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256",
    ])
    func `ciphers without forward secrecy or AEAD are refused`(_ offered: String) throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, version: TLS1_2_VERSION)
        _ = unsafe SSL_set_cipher_list(client.ssl, offered)
        #expect(Self.kind(shakeHands(server, client)) == .incompatible)
    }

    @Test func `a client that knows only TLS 1.1 is refused`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, version: TLS1_1_VERSION)
        unsafe SSL_set_security_level(client.ssl, 0)
        #expect(Self.kind(shakeHands(server, client)) == .incompatible)
        #expect(!client.step())
        #expect(client.alert == SSL_AD_PROTOCOL_VERSION)
    }

    @Test func `HTTP in clear text is distinguished from noise`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let text = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(unsafe write(sockets.client, text, text.count) == text.count)
        #expect(Self.kind(server.handshake()) == .clearText)
    }

    enum Noise: CaseIterable {
        case zeros, ones, hugeRecord, hugeHello, shortHello, alert

        var bytes: [UInt8] {
            switch self {
            case .zeros: [UInt8](repeating: 0, count: 600)
            case .ones: [UInt8](repeating: 0xff, count: 600)
            case .hugeRecord: [0x16, 3, 1, 0xff, 0xff] + [UInt8](repeating: 1, count: 600)
            case .hugeHello:
                [0x16, 3, 1, 2, 0, 1, 0xff, 0xff, 0xff] + [UInt8](repeating: 3, count: 508)
            case .shortHello: [0x16, 3, 1, 0, 4, 1, 0, 0, 0]
            case .alert: [0x15, 3, 1, 0, 2, 2, 40]
            }
        }
    }

    @Test(arguments: Noise.allCases)
    func `bytes that are no hello fail and do no more`(_ noise: Noise) throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let bytes = noise.bytes
        #expect(unsafe write(sockets.client, bytes, bytes.count) == bytes.count)
        sockets.closeClient()
        guard case .failed(let problem) = server.handshake() else {
            Issue.record("the handshake goes on")
            return
        }
        #expect(!problem.description.isEmpty)
    }

    @Test func `a client that goes away in the middle fails the handshake`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        #expect(server.handshake() == .wantsRead)
        sockets.closeClient()
        #expect(Self.kind(server.handshake()) == .closed)
    }

    @Test func `HTTP/2 is preferred where both speak it`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, protocols: ["http/1.1", "h2"])
        #expect(shakeHands(server, client) == .done)
        #expect(server.negotiated == .http2)
    }

    @Test func `a listener without HTTP/2 speaks HTTP/1.1 to who offers both`() throws {
        let server = try server(try serverContext([folder.files("a")], alpn: [.http11]))
        defer { server.free() }
        let client = try RawClient(sockets.client, protocols: ["h2", "http/1.1"])
        #expect(shakeHands(server, client) == .done)
        #expect(server.negotiated == .http11)
    }

    @Test func `a client without ALPN gets HTTP/1.1`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        #expect(shakeHands(server, try RawClient(sockets.client)) == .done)
        #expect(server.negotiated == .http11)
    }

    @Test func `a client that speaks none of the protocols is refused with the alert`() throws {
        let server = try server(try serverContext([folder.files("a")]))
        defer { server.free() }
        let client = try RawClient(sockets.client, protocols: ["smtp"])
        #expect(Self.kind(shakeHands(server, client)) == .noCommonProtocol)
        #expect(!client.step())
        #expect(client.alert == SSL_AD_NO_APPLICATION_PROTOCOL)
    }

    /// What a failed handshake comes down to.
    static func kind(_ outcome: TLSHandshake) -> TLSProblem.Kind? {
        if case .failed(let problem) = outcome { problem.kind } else { nil }
    }
}
