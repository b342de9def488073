internal import CLinux
internal import Glibc
internal import Reactor
internal import Settings

/// One health check request and its response; never blocks.
///
/// Owns its connection until it has ended. `connecting -> handshaking (TLS) -> asking -> answered ->
/// ended`, or from anywhere to ended. Without a request the connection is all that is asked for.
struct HealthCheck {
    enum Verdict: Equatable, Sendable {
        case healthy
        /// It answered with another status than the expected ones.
        case unwell(String)
        /// There was no answer that could be understood.
        case silent(String)
    }

    private enum Stage {
        /// To: handshaking, asking, ended.
        case connecting
        /// To: asking, ended.
        case handshaking(TLSStream)
        /// `sent` bytes of the request were sent.
        ///
        /// To: answered, ended.
        case asking(sent: Int)
        /// The verdict is known; the rest is read, so that the process sees no broken connection.
        ///
        /// To: ended.
        case answered
        /// The connection is closed. Final.
        case ended
    }

    private var stage = Stage.connecting
    private let socket: StreamSocket
    private let secure: SecureServer?
    private var tls: TLSStream?
    private let request: [UInt8]
    private let expected: StatusRanges
    private var answer = HealthAnswer()
    /// The response was 404, and that counts as healthy.
    private(set) var foundNothing = false
    /// The deadline of the response.
    let deadline: Int64

    /// Starts to connect.
    ///
    /// - Parameters:
    ///   - user: who must own the listener; nil: any.
    ///   - secure: how TLS is spoken; nil: clear text.
    /// - Throws: `SystemError` when that fails at once.
    init(
        _ address: SocketAddress, user: UInt32?, secure: SecureServer? = nil,
        _ policy: HealthPolicy,
        deadline: Int64
    ) throws(SystemError) {
        socket = try address.connect(expecting: user).socket
        self.secure = secure
        request = policy.request
        expected = policy.status
        self.deadline = deadline
    }

    /// The descriptor to register for reading and writing.
    var descriptor: Int32 { socket.descriptor }

    var hasEnded: Bool {
        switch stage {
        case .ended: true
        case .connecting, .handshaking, .asking, .answered: false
        }
    }

    /// Continues as far as the connection allows.
    ///
    /// - Returns: the verdict, once, when it becomes known.
    mutating func advance(scratch: inout [UInt8]) -> Verdict? {
        if case .connecting = stage, let verdict = connect() { return verdict }
        if case .handshaking(let stream) = stage, let verdict = handshake(stream) {
            return verdict
        }
        switch stage {
        case .asking(let sent):
            if let verdict = send(from: sent) { return verdict }
            return receive(&scratch)
        case .answered: return receive(&scratch)
        case .connecting, .handshaking, .ended: return nil
        }
    }

    /// The deadline has passed; an open connection is closed.
    mutating func timeOut() -> Verdict? {
        switch stage {
        case .connecting, .handshaking, .asking: return fail("no answer in time")
        case .answered: close()
        case .ended: break
        }
        return nil
    }

    /// Closes the connection; repeated calls are harmless.
    mutating func close() {
        if hasEnded { return }
        stage = .ended
        if let tls {
            tls.shutdown()
            tls.free()
        }
        tls = nil
        socket.close()
    }

    private mutating func connect() -> Verdict? {
        if let code = socket.connectFailure() { return fail(SystemError.message(code)) }
        // Sending nothing shows whether the connection is established.
        if mooring_send(socket.descriptor, nil, 0) == -Int(EAGAIN) { return nil }
        guard let secure else { return established() }
        guard
            let stream = TLSStream(
                connecting: secure.context, serverName: secure.name, descriptor: socket.descriptor)
        else { return fail(SystemError.message(ENOMEM)) }
        tls = stream
        stage = .handshaking(stream)
        return nil
    }

    private mutating func handshake(_ stream: TLSStream) -> Verdict? {
        switch stream.handshake() {
        case .wantsRead, .wantsWrite: return nil
        case .done: return established()
        case .failed(let problem): return fail("no TLS: \(problem)")
        }
    }

    /// Nil: the request follows.
    private mutating func established() -> Verdict? {
        if request.isEmpty {
            close()
            return .healthy
        }
        stage = .asking(sent: 0)
        return nil
    }

    private mutating func send(from sent: Int) -> Verdict? {
        var sent = sent
        while sent < request.count {
            let moved = transfer(request[sent...])
            switch moved {
            case .moved(let count): sent += count
            case .failed(EINTR): continue
            case .failed(let code): return fail(SystemError.message(code))
            case .wouldBlock, .end:
                stage = .asking(sent: sent)
                return nil
            }
        }
        stage = .asking(sent: sent)
        return nil
    }

    private func transfer(_ bytes: ArraySlice<UInt8>) -> Transfer {
        if let tls { return tls.send(bytes) }
        let count = unsafe bytes.withUnsafeBytes { rest in
            unsafe mooring_send(socket.descriptor, rest.baseAddress, rest.count)
        }
        return count >= 0 ? .moved(count) : Self.failure(count)
    }

    private func read(into scratch: inout [UInt8]) -> Transfer {
        if let tls { return tls.receive(into: &scratch) }
        let count = unsafe scratch.withUnsafeMutableBytes { room in
            unsafe mooring_receive(socket.descriptor, room.baseAddress, room.count)
        }
        return count > 0 ? .moved(count) : count == 0 ? .end : Self.failure(count)
    }

    private static func failure(_ count: Int) -> Transfer {
        count == -Int(EAGAIN) ? .wouldBlock : .failed(Int32(truncatingIfNeeded: -count))
    }

    private mutating func receive(_ scratch: inout [UInt8]) -> Verdict? {
        var verdict: Verdict?
        while !hasEnded {
            switch read(into: &scratch) {
            case .moved(let count):
                answer.append(scratch.span.extracting(0..<count))
                verdict = verdict ?? judge()
                // A process that sends this much may see its connection close.
                if answer.isFull { close() }
            case .failed(EINTR): continue
            case .wouldBlock: return verdict
            case .end:
                verdict = verdict ?? fail("the connection ended without an answer")
                close()
            case .failed(let code):
                verdict = verdict ?? fail(SystemError.message(code))
                close()
            }
        }
        return verdict
    }

    private mutating func judge() -> Verdict? {
        guard case .asking = stage else { return nil }
        switch answer.status {
        case .incomplete: return nil
        case .malformed: return fail("the answer is no HTTP/1.1")
        case .code(let code) where expected.contains(code):
            stage = .answered
            foundNothing = code == 404
            return .healthy
        case .code(let code):
            stage = .answered
            return .unwell("status \(code)")
        }
    }

    /// Nil when the verdict is known already.
    private mutating func fail(_ reason: String) -> Verdict? {
        defer { close() }
        switch stage {
        case .connecting, .handshaking, .asking: return .silent(reason)
        case .answered, .ended: return nil
        }
    }
}
