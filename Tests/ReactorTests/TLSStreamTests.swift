internal import COpenSSL
internal import Glibc
internal import Reactor
internal import Testing

@Suite struct TLSStreamTests {
    private let folder: CertificateFolder
    private let sockets: SocketPair
    private let context: TLSServerContext

    init() throws {
        folder = try CertificateFolder()
        sockets = try SocketPair()
        context = try serverContext([folder.files("a")])
    }

    /// A stream and its client with the handshake behind them; the stream is the caller's to free.
    private func connected(version: Int32? = nil) throws -> (server: TLSStream, client: RawClient) {
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        let client = try RawClient(sockets.client, version: version)
        try #require(shakeHands(server, client) == .done)
        return (server, client)
    }

    private static func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
        (start..<(start + count)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    @Test func `a large answer comes through whole though the socket takes it in pieces`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        let total = 1 << 20
        let output = TestBlock(size: 65536)
        var sent = 0
        var got: [UInt8] = []
        var wasFull = false
        while got.count < total {
            if output.block.isEmpty, sent < total {
                output.block.rewind()
                output.fill(Self.pattern(65536, from: sent))
                sent += 65536
            }
            guard !output.block.isEmpty else {
                got += client.read()
                continue
            }
            switch server.send(from: &output.block) {
            case .moved: break
            case .wouldBlock:
                wasFull = true
                // What is left may move in memory before it is tried again.
                output.block.compact()
                got += client.read()
            case .end, .failed:
                Issue.record("the stream broke after \(got.count) bytes")
                return
            }
        }
        #expect(wasFull)
        #expect(got == Self.pattern(total))
    }

    @Test func `a large request comes through whole in blocks smaller than a record`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        let input = TestBlock(size: 1000)
        let bytes = Self.pattern(300_000)
        var sent = 0
        var got: [UInt8] = []
        while got.count < bytes.count {
            if sent < bytes.count {
                sent += max(0, client.write(Array(bytes[sent..<min(sent + 16000, bytes.count)])))
            }
            while case .moved = server.receive(into: &input.block) { got += input.drain() }
        }
        #expect(got == bytes)
    }

    @Test func `bytes that OpenSSL buffers are reported`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        #expect(client.write(Self.pattern(5000)) == 5000)
        let input = TestBlock(size: 1000)
        #expect(server.receive(into: &input.block) == .moved(1000))
        #expect(server.hasBuffered)
        for _ in 0..<4 {
            input.block.rewind()
            #expect(server.receive(into: &input.block) == .moved(1000))
        }
        #expect(!server.hasBuffered)
    }

    @Test func `a block without room reads nothing and loses nothing`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        #expect(client.write([1, 2]) == 2)
        let input = TestBlock(size: 1, [9])
        #expect(server.receive(into: &input.block) == .wouldBlock)
        input.block.rewind()
        #expect(server.receive(into: &input.block) == .moved(1))
        #expect(input.drain() == [1])
    }

    @Test func `a client that sends close_notify has ended and can still be answered`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        #expect(client.write([7]) == 1)
        _ = unsafe SSL_shutdown(client.ssl)
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .moved(1))
        #expect(server.receive(into: &input.block) == .end)
        #expect(server.receive(into: &input.block) == .end)
        let output = TestBlock([8])
        #expect(server.send(from: &output.block) == .moved(1))
        #expect(client.read() == [8])
    }

    @Test func `a stream that is cut off is no end`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        #expect(client.write([7]) == 1)
        sockets.closeClient()
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .moved(1))
        #expect(server.receive(into: &input.block) == .failed(ECONNRESET))
        #expect(server.receive(into: &input.block) == .failed(ECONNRESET))
    }

    @Test func `sending to a client that has gone fails and raises no signal`() throws {
        let (server, _) = try connected()
        defer { server.free() }
        sockets.closeClient()
        let output = TestBlock([1])
        #expect(server.send(from: &output.block) == .failed(EPIPE))
        #expect(output.block.count == 1)
    }

    @Test func `a record that was tampered with breaks the stream`() throws {
        let (server, _) = try connected()
        defer { server.free() }
        let forged: [UInt8] = [0x17, 3, 3, 0, 32] + [UInt8](repeating: 5, count: 32)
        #expect(unsafe write(sockets.client, forged, forged.count) == forged.count)
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .failed(EPROTO))
        guard case .failed = server.receive(into: &input.block) else {
            Issue.record("it is whole again")
            return
        }
        // There is no close_notify now that would make it a regular end.
        server.shutdown()
    }

    @Test func `the goodbye reaches the client once and reading goes on`() throws {
        let (server, client) = try connected()
        defer { server.free() }
        server.shutdown()
        server.shutdown()
        var byte: UInt8 = 0
        let result = unsafe SSL_read(client.ssl, &byte, 1)
        #expect(unsafe SSL_get_error(client.ssl, result) == SSL_ERROR_ZERO_RETURN)
        #expect(client.write([3]) == 1)
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .moved(1))
    }

    @Test func `a goodbye in the middle of a handshake does nothing`() throws {
        let server = try #require(TLSStream(accepting: context, descriptor: sockets.server))
        defer { server.free() }
        server.shutdown()
        #expect(server.handshake() == .wantsRead)
    }

    @Test func `renegotiation is refused and the stream goes on`() throws {
        let (server, client) = try connected(version: TLS1_2_VERSION)
        defer { server.free() }
        #expect(unsafe SSL_renegotiate(client.ssl) == 1)
        #expect(!client.step())
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .wouldBlock)
        #expect(!client.step())
        #expect(ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NO_RENEGOTIATION)
    }

    @Test func `what follows many key updates is received`() throws {
        let (server, client) = try connected(version: TLS1_3_VERSION)
        defer { server.free() }
        for _ in 0..<100 {
            #expect(unsafe SSL_key_update(client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
            #expect(client.step())
        }
        #expect(client.write([4]) == 1)
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .moved(1))
        #expect(server.receive(into: &input.block) == .wouldBlock)
    }

    @Test func `a key update that is asked for while the socket is full is answered behind it`()
        throws
    {
        let (server, client) = try connected(version: TLS1_3_VERSION)
        defer { server.free() }
        let output = TestBlock(Self.pattern(65536))
        var sent = 0
        while case .moved(let count) = server.send(from: &output.block) {
            sent += count
            output.block.rewind()
            output.fill(Self.pattern(65536, from: sent))
        }
        #expect(unsafe SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        #expect(client.step())
        #expect(client.write([6]) == 1)
        let input = TestBlock()
        #expect(server.receive(into: &input.block) == .moved(1))
        var got: [UInt8] = []
        while !output.block.isEmpty {
            got += client.read()
            switch server.send(from: &output.block) {
            case .moved(let count): sent += count
            case .wouldBlock: break
            case .end, .failed:
                Issue.record("the stream broke after \(got.count) bytes")
                return
            }
        }
        while got.count < sent { got += client.read() }
        #expect(got == Self.pattern(sent))
    }
}
