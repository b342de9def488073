internal import COpenSSL
internal import Reactor
internal import Testing

/// The client's side: towards servers behind the balancer.
@Suite struct TLSBackendTests {
    private let folder: CertificateFolder
    private let sockets: SocketPair
    private let authority: CertificateFolder.Authority

    init() throws {
        folder = try CertificateFolder()
        sockets = try SocketPair()
        authority = try folder.authority()
    }

    /// Both sides' ends of a handshake with a server that has these files.
    private func connect(
        to name: String, _ files: (certificate: String, key: String),
        trust: TLSClientContext.Trust? = nil
    ) throws -> (client: TLSHandshake, server: TLSHandshake, asked: String?) {
        let context = try serverContext([files])
        let trusting = try TLSClientContext(trust: trust ?? .authorities(file: authority.file))
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        let client = try #require(
            TLSStream(connecting: trusting, serverName: name, descriptor: sockets.client))
        defer {
            client.free()
            server.free()
        }
        var outcome = (client: TLSHandshake.wantsRead, server: TLSHandshake.wantsRead)
        for _ in 0..<20 {
            if Self.isOpen(outcome.client) { outcome.client = client.handshake() }
            if Self.isOpen(outcome.server) { outcome.server = server.handshake() }
        }
        return (outcome.client, outcome.server, server.serverName)
    }

    private static func isOpen(_ outcome: TLSHandshake) -> Bool {
        outcome == .wantsRead || outcome == .wantsWrite
    }

    private func refusal(_ outcome: TLSHandshake) throws -> String {
        guard case .failed(let problem) = outcome, problem.kind == .certificateRefused else {
            Issue.record("not refused for its certificate: \(outcome)")
            return ""
        }
        return problem.description
    }

    @Test func `a server with the name and the authority that are expected is spoken to`() throws {
        let files = try folder.files("a", alternatives: ["DNS:api.example"], by: authority)
        let outcome = try connect(to: "api.example", files)
        #expect(outcome.client == .done)
        #expect(outcome.server == .done)
        #expect(outcome.asked == "api.example")
    }

    @Test func `a server that is addressed by number needs the number in its certificate`() throws {
        let files = try folder.files(
            "a", alternatives: ["IP:192.0.2.7", "IP:2001:db8::7"], by: authority)
        let outcome = try connect(to: "192.0.2.7", files)
        #expect(outcome.client == .done)
        #expect(outcome.asked == nil)
    }

    @Test(arguments: ["[2001:db8::7]", "2001:db8::7"])
    func `an address of version 6 may stand in brackets`(_ name: String) throws {
        let files = try folder.files("a", alternatives: ["IP:2001:db8::7"], by: authority)
        #expect(try connect(to: name, files).client == .done)
    }

    @Test(arguments: ["other.example", "192.0.2.8", "a.b.api.example"])
    func `a server of another name is refused`(_ name: String) throws {
        let files = try folder.files(
            "a", alternatives: ["DNS:api.example", "DNS:*.api.example", "IP:192.0.2.7"],
            by: authority)
        let text = try refusal(try connect(to: name, files).client)
        #expect(text.contains("mismatch"))
    }

    @Test func `a server with a self-signed certificate is refused with an alert`() throws {
        let files = try folder.files("a", alternatives: ["DNS:api.example"])
        let outcome = try connect(to: "api.example", files)
        #expect(try refusal(outcome.client).contains("self-signed"))
        #expect(TLSHandshakeTests.kind(outcome.server) == .alert)
    }

    @Test func `the system's authorities do not know ours`() throws {
        let files = try folder.files("a", alternatives: ["DNS:api.example"], by: authority)
        let outcome = try connect(to: "api.example", files, trust: .system)
        #expect(try refusal(outcome.client).contains("unable to get local issuer"))
    }

    @Test func `an authority that another has signed is trusted for itself alone`() throws {
        let middle = try folder.authority("middle", by: authority)
        let trust = TLSClientContext.Trust.authorities(file: middle.file)
        let under = try folder.files("a", alternatives: ["DNS:api.example"], by: middle)
        #expect(try connect(to: "api.example", under, trust: trust).client == .done)
    }

    @Test func `what the issuer of the trusted authority has signed is not trusted`() throws {
        let middle = try folder.authority("middle", by: authority)
        let trust = TLSClientContext.Trust.authorities(file: middle.file)
        let beside = try folder.files("b", alternatives: ["DNS:api.example"], by: authority)
        _ = try refusal(try connect(to: "api.example", beside, trust: trust).client)
    }

    @Test func `an expired server is refused`() throws {
        let files = try folder.files(
            "a", alternatives: ["DNS:api.example"], days: -9 ..< -2, by: authority)
        #expect(try refusal(try connect(to: "api.example", files).client).contains("expired"))
    }

    @Test func `without verification any server is accepted`() throws {
        let files = try folder.files("a", days: -9 ..< -2)
        let outcome = try connect(to: "api.example", files, trust: .unverified)
        #expect(outcome.client == .done)
    }

    @Test(arguments: ["", "a\0b", "[]", String(repeating: "a", count: 300)])
    func `what is no name of a host opens no stream`(_ name: String) throws {
        let context = try TLSClientContext(trust: .system)
        #expect(
            TLSStream(connecting: context, serverName: name, descriptor: sockets.client) == nil)
    }

    @Test func `an authority file without a certificate is named`() throws {
        let file = try folder.text("nothing", in: "empty.pem")
        let error = try #require(throws: TLSConfigurationError.self) {
            try TLSClientContext(trust: .authorities(file: file))
        }
        #expect(error.file == file)
    }
}
