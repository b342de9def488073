internal import CLinux
internal import Glibc
internal import Reactor

/// Finds out when a process accepts connections: attempts to connect, close together at first.
///
/// Times are monotonic nanoseconds. No attempt waits: a connection that is pending reports by an
/// event.
struct ReadinessProbe {
    private static let firstDelay: Int64 = 2_000_000
    private static let longestDelay: Int64 = 25_000_000

    /// Where the process was told to listen.
    let address: SocketAddress
    /// The user that must be the one who listens; nil: whoever does, since nobody else could.
    let user: UInt32?
    /// When to try next; nil while a connection is pending.
    private(set) var nextAttempt: Int64?
    private(set) var pending: StreamSocket?
    private var delay = ReadinessProbe.firstDelay

    enum Outcome: Equatable {
        case accepts
        /// Nobody listens yet, or its backlog is full: at `nextAttempt` again.
        case notYet
        /// It cannot be asked for want of something here; at `nextAttempt` again.
        case unable(SystemError)
        /// Register the socket for writing and call `settle` when it reports.
        case waits(StreamSocket)
    }

    init(address: SocketAddress, user: UInt32? = nil, now: Int64) {
        self.address = address
        self.user = user
        nextAttempt = now + Self.firstDelay
    }

    /// Tries once.
    mutating func attempt(now: Int64) -> Outcome {
        do {
            let (socket, isPending) = try address.connect(expecting: user)
            if isPending {
                pending = socket
                nextAttempt = nil
                return .waits(socket)
            }
            return judge(socket, now: now)
        } catch {
            // ENOENT and ECONNREFUSED are the rule.
            let outcome = again(now: now)
            return error.isScarcity ? .unable(error) : outcome
        }
    }

    /// The pending connection has reported; it is closed either way.
    mutating func settle(now: Int64) -> Outcome {
        guard let socket = pending else { return .notYet }
        pending = nil
        guard socket.connectFailure() == nil else {
            socket.close()
            return again(now: now)
        }
        return judge(socket, now: now)
    }

    /// Tries on, after one that accepted was not the process.
    mutating func goOn(now: Int64) {
        if nextAttempt == nil && pending == nil { _ = again(now: now) }
    }

    /// Gives up what is under way; harmless when nothing is.
    mutating func cancel() {
        pending?.close()
        pending = nil
        nextAttempt = nil
    }

    private mutating func judge(_ socket: StreamSocket, now: Int64) -> Outcome {
        defer { socket.close() }
        if isConnectedToItself(socket) { return again(now: now) }
        nextAttempt = nil
        return .accepts
    }

    private mutating func again(now: Int64) -> Outcome {
        nextAttempt = now + delay
        delay = min(delay * 2, Self.longestDelay)
        return .notYet
    }

    /// Over TCP the kernel may pick the very port we connect to as our own; with nobody listening
    /// the connection then stands, to itself (RFC 9293 section 3.5, simultaneous open).
    private func isConnectedToItself(_ socket: StreamSocket) -> Bool {
        if address.isUnix { return false }
        var local = mooring_address()
        guard unsafe mooring_local_address(socket.descriptor, &local) == 0 else { return false }
        return unsafe Int(mooring_address_port(&local)) == address.port
    }
}
