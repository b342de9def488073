internal import COpenSSL
internal import Reactor
internal import Testing

@Suite struct TLSServerNameTests {
    private let folder: CertificateFolder

    init() throws { folder = try CertificateFolder() }

    /// Whose certificate a client is shown that asks for `name`.
    private func shown(
        for name: String?, _ context: TLSServerContext, ciphers: String? = nil
    ) throws -> String? {
        let sockets = try SocketPair()
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        defer { server.free() }
        let client = try RawClient(
            sockets.client, name: name, version: ciphers == nil ? nil : TLS1_2_VERSION)
        if let ciphers { _ = unsafe SSL_set_cipher_list(client.ssl, ciphers) }
        #expect(shakeHands(server, client) == .done)
        #expect(server.serverName == name)
        return client.serverCertificateName
    }

    private func threeCertificates() throws -> TLSServerContext {
        try serverContext([
            folder.files("default", name: "default", alternatives: ["DNS:default.example"]),
            folder.files(
                "wild", name: "wild", alternatives: ["DNS:*.shop.example", "DNS:shop.example"]),
            folder.files("exact", name: "exact", alternatives: ["DNS:www.shop.example"]),
        ])
    }

    @Test(arguments: [
        ("default.example", "default"), ("shop.example", "wild"), ("a.shop.example", "wild"),
        ("A.Shop.EXAMPLE", "wild"), ("www.shop.example", "exact"), ("WWW.shop.example", "exact"),
    ])
    func `a name is answered with its certificate`(_ name: String, _ certificate: String) throws {
        #expect(try shown(for: name, threeCertificates()) == certificate)
    }

    @Test(arguments: ["other.example", "a.b.shop.example", ".shop.example", "-", "xn--", nil])
    func `who asks for no known name is shown the first certificate`(_ name: String?) throws {
        #expect(try shown(for: name, threeCertificates()) == "default")
    }

    @Test func `a certificate without alternative names counts for its common name`() throws {
        let context = try serverContext([
            folder.files("one", name: "one.example"), folder.files("two", name: "Two.example"),
        ])
        #expect(try shown(for: "two.example", context) == "Two.example")
    }

    @Test func `of two certificates for one name the first is shown`() throws {
        let context = try serverContext([
            folder.files("a", name: "a", alternatives: ["DNS:a.example"]),
            folder.files("b", name: "b", alternatives: ["DNS:same.example"]),
            folder.files("c", name: "c", alternatives: ["DNS:same.example"]),
        ])
        #expect(try shown(for: "same.example", context) == "b")
    }

    @Test func `an RSA and an EC certificate of one name serve a client of either kind`() throws {
        let context = try serverContext([
            folder.files("ec", name: "ec", alternatives: ["DNS:same.example"]),
            folder.files(
                "rsa", name: "rsa", alternatives: ["DNS:same.example"], kind: .rsa(bits: 2048)),
        ])
        let name = "same.example"
        #expect(try shown(for: name, context, ciphers: "aRSA+AESGCM") == "rsa")
        #expect(try shown(for: name, context, ciphers: "aECDSA+AESGCM") == "ec")
    }

    @Test func `a stream goes on when its context has been replaced`() throws {
        let sockets = try SocketPair()
        let name = "www.shop.example"
        var context: TLSServerContext? = try threeCertificates()
        let server = try #require(
            context.flatMap { TLSStream(accepting: $0, descriptor: sockets.server) })
        defer { server.free() }
        let client = try RawClient(sockets.client, name: name)
        #expect(!client.step())
        context = nil
        #expect(shakeHands(server, client) == .done)
        #expect(client.serverCertificateName == "exact")
    }
}
