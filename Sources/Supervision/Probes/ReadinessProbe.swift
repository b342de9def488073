internal import Backends
internal import CLinux
internal import Glibc
internal import Reactor

/// Finds out when and where a process accepts connections: attempts to connect, close together.
///
/// Times are monotonic nanoseconds. No attempt waits: a connection that is pending reports by an
/// event.
struct ReadinessProbe {
    /// How late a process may be found ready, where no event tells: 0.5 ms in the first 2 s, a small
    /// part of its start later.
    private static let shortestDelay: Int64 = 500_000
    private static let longestDelay: Int64 = 25_000_000
    private static let shareOfStart: Int64 = 4000
    /// Between the appearance of a socket and the first connection that it takes lies one call.
    private static let hurriedDelay: Int64 = 100_000
    private static let hurry: Int64 = 20_000_000
    /// After which a pending connection is given up, so that the other addresses have their turn.
    private static let patience: Int64 = 250_000_000

    /// Where the process was told to listen.
    let endpoint: ListeningEndpoint
    /// The user that must be the one who listens on a socket; nil: whoever does, since nobody else
    /// could.
    let user: UInt32?
    /// When to try next; while a connection is pending, when it is given up; nil: it has been found.
    private(set) var nextAttempt: Int64?
    private(set) var pending: StreamSocket?
    /// Whether an event tells of sockets that appear.
    var isWatched = false
    /// Tells at which ports it is of use to connect; nil: that is tried at each of them.
    let question: ListenerQuestion?
    /// When ports are connected to whatever the question says.
    private var connectsAt: Int64
    private let addresses: [ProcessAddress]
    private let startedAt: Int64
    private var candidate = 0
    private var lack: SystemError?
    private var hurriesUntil = Int64.min
    private var hasMetStranger = false
    private var connectsAnyway = false

    enum Outcome: Equatable {
        /// Whether it is the process that does is to be looked at; if it is not, see `goOn`.
        case accepts(ProcessAddress)
        /// Nobody listens yet, or its backlog is full: at `nextAttempt` again.
        case notYet
        /// It cannot be asked for want of something here; at `nextAttempt` again.
        case unable(SystemError)
        /// Register the socket for writing and call `settle` when it reports.
        case waits(StreamSocket)
    }

    init(
        endpoint: ListeningEndpoint, user: UInt32? = nil, asking question: ListenerQuestion? = nil,
        now: Int64
    ) {
        self.endpoint = endpoint
        self.user = user
        self.question = question
        connectsAt = now + Self.longestDelay
        addresses = endpoint.addresses
        startedAt = now
        nextAttempt = now + Self.shortestDelay
    }

    /// Tries one address after the other.
    mutating func attempt(now: Int64) -> Outcome {
        pending?.close()
        pending = nil
        lack = nil
        candidate = 0
        connectsAnyway = connectsAt <= now
        if connectsAnyway { connectsAt = now + Self.longestDelay }
        return tryOn(now: now)
    }

    /// The pending connection has reported; it is closed either way.
    mutating func settle(now: Int64) -> Outcome {
        guard let socket = pending else { return .notYet }
        pending = nil
        defer { socket.close() }
        if socket.connectFailure() == nil, !isConnectedToItself(socket) { return found() }
        candidate += 1
        return tryOn(now: now)
    }

    /// Tries on, after one that accepted was not the process.
    mutating func goOn(now: Int64) -> Outcome {
        // Finding out whose it is takes time, which a stranger is not to cause all the time.
        hasMetStranger = true
        candidate += 1
        return tryOn(now: now)
    }

    /// A file has appeared where sockets do: if it is the process's, it listens in a moment.
    mutating func lookAgain(now: Int64) {
        guard let next = nextAttempt, pending == nil else { return }
        if hurriesUntil == .min, let path = endpoint.socket, unsafe access(path, F_OK) == 0 {
            hurriesUntil = now + Self.hurry
        }
        nextAttempt = min(next, now)
    }

    /// Gives up what is under way; harmless when nothing is.
    mutating func cancel() {
        pending?.close()
        pending = nil
        nextAttempt = nil
    }

    private mutating func tryOn(now: Int64) -> Outcome {
        while candidate < addresses.count {
            do {
                let address = try addresses[candidate].socketAddress()
                if !connectsAnyway, !address.isUnix, question?.hasListener(at: address) == false {
                    candidate += 1
                    continue
                }
                let (socket, isPending) = try address.connect(expecting: user)
                if isPending {
                    pending = socket
                    nextAttempt = now + Self.patience
                    return .waits(socket)
                }
                defer { socket.close() }
                if !isConnectedToItself(socket) { return found() }
            } catch {
                // ENOENT and ECONNREFUSED are the rule. A machine without IPv6 has no such address.
                let isMissing = error.errno == EADDRNOTAVAIL && addresses[candidate].isIPv6
                if error.isScarcity, !isMissing { lack = error }
            }
            candidate += 1
        }
        nextAttempt = now + delay(now: now)
        return lack.map { .unable($0) } ?? .notYet
    }

    private mutating func found() -> Outcome {
        nextAttempt = nil
        return .accepts(addresses[candidate])
    }

    private func delay(now: Int64) -> Int64 {
        if hasMetStranger { return Self.longestDelay }
        if now < hurriesUntil { return Self.hurriedDelay }
        if isWatched, endpoint.port == nil, hurriesUntil == .min { return Self.longestDelay }
        return min(
            max(Self.shortestDelay, (now - startedAt) / Self.shareOfStart), Self.longestDelay)
    }

    /// Over TCP the kernel may pick the very port we connect to as our own; with nobody listening
    /// the connection then stands, to itself (RFC 9293 section 3.5, simultaneous open).
    private func isConnectedToItself(_ socket: StreamSocket) -> Bool {
        guard case .tcp(_, let port) = addresses[candidate] else { return false }
        var local = mooring_address()
        guard unsafe mooring_local_address(socket.descriptor, &local) == 0 else { return false }
        return unsafe mooring_address_port(&local) == port
    }
}

extension ProcessAddress {
    fileprivate var isIPv6: Bool {
        switch self {
        case .unix: false
        case .tcp(let host, _): host.contains(":")
        }
    }
}
