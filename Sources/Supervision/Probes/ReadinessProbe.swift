internal import Backends
internal import CLinux
internal import Glibc
internal import Reactor

/// Determines when and where a process accepts connections, by frequent connection attempts.
///
/// Times are monotonic nanoseconds. No attempt blocks: a pending connection reports by an event.
struct ReadinessProbe {
    /// The resolution without events: 0.5 ms in the first 2 s, later a small fraction of the
    /// start's duration.
    private static let shortestDelay: Int64 = 500_000
    private static let longestDelay: Int64 = 25_000_000
    private static let shareOfStart: Int64 = 4000
    /// Between the creation of a socket and listen(2) there is one call.
    private static let hurriedDelay: Int64 = 100_000
    private static let hurry: Int64 = 20_000_000
    /// After this a pending connection is given up, so that the other addresses have their turn.
    private static let patience: Int64 = 250_000_000

    /// How often a program that does not close a connection without a request is asked before it is taken for
    /// ready.
    private static let mostSilences = 8

    /// The endpoint that the process was given.
    let endpoint: ListeningEndpoint
    /// The user who must own the listener of a socket; nil: not checked, because no other user
    /// could listen there.
    let user: UInt32?
    /// When to try next; while a connection is pending, when to give it up; nil: the process was
    /// found.
    private(set) var nextAttempt: Int64?
    private(set) var pending: StreamSocket?
    /// Whether an event reports sockets that appear.
    var isWatched = false
    /// Tells which ports have listeners, so that connecting is worthwhile; nil: each is tried.
    let question: ListenerQuestion?
    /// When ports are connected to regardless of `question`.
    private var connectsAt: Int64
    private let addresses: [ProcessAddress]
    private let startedAt: Int64
    private var candidate = 0
    private var lack: SystemError?
    private var hurriesUntil = Int64.min
    private var hasMetForeignListener = false
    private var connectsAnyway = false
    /// Connections over an inherited socket that nobody has taken in time.
    private var silences = 0

    enum Outcome: Equatable {
        /// The caller must check that it is the process that accepts; if it is not, see `goOn`.
        case accepts(ProcessAddress)
        /// Nothing listens yet, or the backlog is full: retry at `nextAttempt`.
        case notYet
        /// A lack of local resources; retry at `nextAttempt`.
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
        if endpoint.isInherited, pending != nil { silences += 1 }
        pending?.close()
        pending = nil
        lack = nil
        candidate = 0
        if silences >= Self.mostSilences { return found() }
        connectsAnyway = connectsAt <= now
        if connectsAnyway { connectsAt = now + Self.longestDelay }
        return tryOn(now: now)
    }

    /// The pending connection has reported; it is closed in either case.
    mutating func settle(now: Int64) -> Outcome {
        guard let socket = pending else { return .notYet }
        // It has been taken when the process closes it, for no request has come.
        if endpoint.isInherited, socket.isSilent { return .notYet }
        pending = nil
        defer { socket.close() }
        if socket.connectFailure() == nil, !isConnectedToItself(socket) { return found() }
        candidate += 1
        return tryOn(now: now)
    }

    /// Continues after a foreign program accepted.
    mutating func goOn(now: Int64) -> Outcome {
        // Identifying a foreign listener is slow, so it must not be repeated often.
        hasMetForeignListener = true
        candidate += 1
        return tryOn(now: now)
    }

    /// A file has appeared among the sockets: if it is the process's, it will listen in a moment.
    mutating func lookAgain(now: Int64) {
        guard let next = nextAttempt, pending == nil else { return }
        if hurriesUntil == .min, let path = endpoint.socket, unsafe access(path, F_OK) == 0 {
            hurriesUntil = now + Self.hurry
        }
        nextAttempt = min(next, now)
    }

    /// Gives up a pending attempt; harmless without one.
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
                if endpoint.isInherited { socket.shutdownWrite() }
                if isPending || endpoint.isInherited {
                    pending = socket
                    nextAttempt = now + Self.patience
                    return .waits(socket)
                }
                defer { socket.close() }
                if !isConnectedToItself(socket) { return found() }
            } catch {
                // ENOENT and ECONNREFUSED are normal. A machine without IPv6 has no such address.
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
        if hasMetForeignListener { return Self.longestDelay }
        if now < hurriesUntil { return Self.hurriedDelay }
        if isWatched, endpoint.port == nil, hurriesUntil == .min { return Self.longestDelay }
        return min(
            max(Self.shortestDelay, (now - startedAt) / Self.shareOfStart), Self.longestDelay)
    }

    /// Over TCP the kernel may choose the very port that is connected to as the local port; without
    /// a listener the connection then succeeds, to itself (RFC 9293 section 3.5, simultaneous
    /// open).
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
