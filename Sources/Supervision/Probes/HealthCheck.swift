internal import CLinux
internal import Glibc
internal import Reactor

/// One health check request and its response; never blocks.
///
/// Owns its connection until it has ended. `asking -> answered -> ended`, or from anywhere to
/// ended.
struct HealthCheck {
    enum Verdict: Equatable, Sendable {
        case healthy
        /// The problem, in words.
        case unhealthy(String)
    }

    private enum Stage {
        /// Connected or connecting; `sent` bytes of the request were sent.
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

    private var stage = Stage.asking(sent: 0)
    private let socket: StreamSocket
    private let request: [UInt8]
    private var answer = HealthAnswer()
    /// The response was 404, which counts as healthy.
    private(set) var foundNothing = false
    /// The deadline of the response.
    let deadline: Int64

    /// Starts to connect.
    ///
    /// - Parameter user: who must own the listener; nil: any.
    /// - Throws: `SystemError` when that fails at once.
    init(
        _ address: SocketAddress, user: UInt32?, request: [UInt8], deadline: Int64
    ) throws(SystemError) {
        socket = try address.connect(expecting: user).socket
        self.request = request
        self.deadline = deadline
    }

    /// The descriptor to register for reading and writing.
    var descriptor: Int32 { socket.descriptor }

    var hasEnded: Bool {
        switch stage {
        case .ended: true
        case .asking, .answered: false
        }
    }

    /// Continues as far as the connection allows.
    ///
    /// - Returns: the verdict, once, when it becomes known.
    mutating func advance(scratch: inout [UInt8]) -> Verdict? {
        switch stage {
        case .asking(let sent):
            if sent == 0, let code = socket.connectFailure() {
                return fail(SystemError.message(code))
            }
            if let verdict = send(from: sent) { return verdict }
            return receive(&scratch)
        case .answered: return receive(&scratch)
        case .ended: return nil
        }
    }

    /// The deadline has passed; an open connection is closed.
    mutating func timeOut() -> Verdict? {
        switch stage {
        case .asking: return fail("no answer in time")
        case .answered: close()
        case .ended: break
        }
        return nil
    }

    /// Closes the connection; repeated calls are harmless.
    mutating func close() {
        if hasEnded { return }
        stage = .ended
        socket.close()
    }

    private mutating func send(from sent: Int) -> Verdict? {
        var sent = sent
        while sent < request.count {
            let count = unsafe request[sent...].withUnsafeBytes { rest in
                unsafe mooring_send(socket.descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                sent += count
            } else if count == -Int(EINTR) {
                continue
            } else if count == -Int(EAGAIN) {
                break
            } else {
                return fail(SystemError.message(Int32(truncatingIfNeeded: -count)))
            }
        }
        stage = .asking(sent: sent)
        return nil
    }

    private mutating func receive(_ scratch: inout [UInt8]) -> Verdict? {
        var verdict: Verdict?
        while !hasEnded {
            let count = unsafe scratch.withUnsafeMutableBytes { room in
                unsafe mooring_receive(socket.descriptor, room.baseAddress, room.count)
            }
            if count > 0 {
                answer.append(scratch.span.extracting(0..<count))
                verdict = verdict ?? judge()
                // A process that sends this much may see its connection close.
                if answer.isFull { close() }
            } else if count == -Int(EINTR) {
                continue
            } else if count == -Int(EAGAIN) {
                break
            } else {
                let end = count == 0 ? "the connection ended without an answer" : nil
                let reason =
                    end ?? SystemError.message(Int32(truncatingIfNeeded: -count))
                verdict = verdict ?? fail(reason)
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
        case .code(let code) where code < 500:
            stage = .answered
            foundNothing = code == 404
            return .healthy
        case .code(let code):
            stage = .answered
            return .unhealthy("status \(code)")
        }
    }

    /// Nil when the verdict is known already.
    private mutating func fail(_ reason: String) -> Verdict? {
        defer { close() }
        switch stage {
        case .asking: return .unhealthy(reason)
        case .answered, .ended: return nil
        }
    }
}
