internal import COpenSSL
internal import Glibc
internal import Reactor
internal import Testing

/// Two connected sockets, closed with the object.
final class SocketPair {
    let server: Int32
    let client: Int32
    private var isClientClosed = false

    init() throws {
        var both: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &both) == 0)
        server = both[0]
        client = both[1]
    }

    deinit {
        close(server)
        closeClient()
    }

    func closeClient() {
        if isClientClosed { return }
        isClientClosed = true
        close(client)
    }
}

/// A client with arbitrary OpenSSL settings, to test a server with.
@safe final class RawClient {
    /// What a client keeps to come back with.
    @safe final class Session {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

        deinit { unsafe SSL_SESSION_free(pointer) }
    }

    let context: OpaquePointer
    let ssl: OpaquePointer

    /// - Parameters:
    ///   - session: one of before, to come back with.
    init(
        _ descriptor: Int32, name: String? = nil, protocols: [String] = [],
        version: Int32? = nil, identity: (certificate: String, key: String)? = nil,
        session: Session? = nil
    ) throws {
        unsafe context = try unsafe made(SSL_CTX_new(TLS_client_method()))
        if let version {
            _ = unsafe SSL_CTX_ctrl(
                context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        }
        if let identity {
            let file = identity.certificate
            #expect(unsafe SSL_CTX_use_certificate_chain_file(context, file) == 1)
            #expect(
                unsafe SSL_CTX_use_PrivateKey_file(context, identity.key, SSL_FILETYPE_PEM) == 1)
        }
        let offered = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        _ = unsafe SSL_CTX_set_alpn_protos(context, offered, UInt32(offered.count))
        unsafe ssl = try unsafe made(SSL_new(context))
        _ = unsafe SSL_set_fd(ssl, descriptor)
        if let name { _ = unsafe mooring_ssl_ask_for(ssl, name) }
        if let session { _ = unsafe SSL_set_session(ssl, session.pointer) }
        unsafe SSL_set_connect_state(ssl)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    /// A step of the handshake; true: done.
    func step() -> Bool {
        ERR_clear_error()
        return unsafe SSL_do_handshake(ssl) == 1
    }

    /// What can be read now; empty: nothing.
    func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65536)
        ERR_clear_error()
        let count = unsafe SSL_read(ssl, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(Int(max(count, 0))))
    }

    func write(_ bytes: [UInt8]) -> Int {
        ERR_clear_error()
        return Int(unsafe SSL_write(ssl, bytes, Int32(bytes.count)))
    }

    /// The session as it stands, ticket included once it has been read.
    func session() throws -> Session {
        unsafe Session(try made(SSL_get1_session(ssl)))
    }

    /// The common name of the certificate that the server has shown.
    var serverCertificateName: String? {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        var name = [UInt8](repeating: 0, count: 256)
        let count = unsafe name.withUnsafeMutableBytes { name in
            unsafe X509_NAME_get_text_by_NID(
                X509_get_subject_name(certificate), NID_commonName,
                name.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(name.count))
        }
        return String(decoding: name.prefix(Int(max(count, 0))), as: UTF8.self)
    }

    /// The alert that the server has sent, by its number; nil: it has sent none.
    var alert: Int32? {
        let reason = ERR_GET_REASON(ERR_peek_last_error())
        return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
            ? reason - SSL_AD_REASON_OFFSET : nil
    }
}

/// Takes both sides by turns until the server is done or has failed.
func shakeHands(_ server: TLSStream, _ client: RawClient) -> TLSHandshake {
    var outcome = TLSHandshake.wantsRead
    var isClientDone = false
    for _ in 0..<20 {
        if !isClientDone { isClientDone = client.step() }
        if outcome != .done { outcome = server.handshake() }
        if case .failed = outcome { break }
        if isClientDone, outcome == .done { break }
    }
    return outcome
}

/// A block with memory of its own, given back with the object.
@safe final class TestBlock {
    private var pool: BlockPool
    var block = Block.none

    init(size: Int = 65536, _ bytes: [UInt8] = []) {
        pool = BlockPool(blockSize: size, keep: 0)
        pool.equip(&block)
        fill(bytes)
    }

    deinit { pool.release(&block) }

    /// Puts more behind what is there.
    func fill(_ bytes: [UInt8]) {
        let room = unsafe block.writable
        for (index, byte) in bytes.enumerated() { unsafe room[index] = byte }
        block.commit(bytes.count)
    }

    /// Takes out everything.
    func drain() -> [UInt8] {
        let bytes = unsafe Array(block.readable)
        block.rewind()
        return bytes
    }
}

/// A server's context with what a test does not care about filled in.
func serverContext(
    _ files: [(certificate: String, key: String)],
    alpn: [TLSApplicationProtocol] = [.http2, .http11], clientAuthority: String? = nil,
    tickets: TLSTicketKeys = TLSTicketKeys()
) throws -> TLSServerContext {
    try TLSServerContext(
        certificates: files.map { TLSCertificateFiles(certificate: $0.certificate, key: $0.key) },
        alpn: alpn, clientAuthority: clientAuthority, tickets: tickets)
}
