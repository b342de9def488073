internal import Backends
internal import Exchanges
internal import Glibc
internal import Reactor
internal import Settings

/// The purpose of a connection.
struct ConnectAttempt {
    /// The exchange that waits for it.
    let exchange: Int
    /// When its request's time is over; monotonic ns.
    let latest: Int64
}

/// The progress of a connection.
enum ConnectStep {
    /// Established, and ready for a request.
    case ready(Int)
    /// An event will follow, or the deadline.
    case pending(Int)
    case failed(ConnectFailure)
}

/// Makes connections to processes: from an address to an established connection.
///
/// Belongs to the loop's thread. It returns the result of each attempt. Extension: the owner of the
/// listener.
final class Dialer {
    let upstreams: Upstreams
    let plan: Plan
    let shared: SharedState
    var diagnosis = PeerDiagnosis()

    init(_ owners: Owners) {
        upstreams = owners.upstreams
        plan = owners.plan
        shared = owners.shared
    }

    /// Looks up the address of a process, once per process; false: it is gone.
    func know(_ process: ProcessHandle, group: Int) -> Bool {
        if upstreams.pools.contains(process, group: group) { return true }
        guard let entry = plan.groups[group].address(of: process) else { return false }
        let address: SocketAddress
        var other: SocketAddress?
        do {
            switch entry {
            case .unix(let path): address = try .unix(path)
            case .tcp(ProcessAddress.localhost, let port):
                address = try .tcp("127.0.0.1", port)
                other = try .tcp("::1", port)
            case .tcp(let host, let port): address = try .tcp(host, port)
            }
        } catch {
            return false
        }
        let label = plan.groups[group].identity(of: process)?.label ?? ""
        var orphan = upstreams.pools.establish(
            process, group: group, address: address, other: other, label: label)
        while orphan >= 0 {
            let next = upstreams[Int(orphan)].nextIdle
            upstreams[Int(orphan)].nextIdle = -1
            upstreams[Int(orphan)].previousIdle = -1
            upstreams.close(Int(orphan))
            orphan = next
        }
        return true
    }

    /// Starts a connection to a known process.
    func connect(
        to process: ProcessHandle, group: Int, _ attempt: ConnectAttempt
    ) -> ConnectStep {
        guard let address = upstreams.pools.address(of: process, group: group) else {
            preconditionFailure("a process that is known has an address")
        }
        return connect(to: address, process, group, isOther: false, attempt)
    }

    private func connect(
        to address: SocketAddress, _ process: ProcessHandle, _ group: Int, isOther: Bool,
        _ attempt: ConnectAttempt
    ) -> ConnectStep {
        let socket: StreamSocket
        let isPending: Bool
        guard takeDescriptor() else { return failed(EMFILE) }
        do {
            (socket, isPending) = try address.connect()
        } catch {
            shared.giveUpstream()
            return refused(error.errno, process, group, byOther: isOther, attempt)
        }
        guard !address.isUnix || isOfItsUser(socket, process, group: group) else {
            socket.close()
            shared.giveUpstream()
            return failed(EACCES)
        }
        var connection = Upstream(
            .clear(socket), codec(of: group), group: Int32(truncatingIfNeeded: group),
            process: process,
            phase: .connecting, exchange: Int32(truncatingIfNeeded: attempt.exchange))
        connection.isToOther = isOther
        guard let entry = upstreams.enter(connection, writable: isPending) else {
            return .failed(.noResources)
        }
        if isPending || !plan.settings.groups[group].secureServers.isEmpty {
            upstreams.setDeadline(
                entry, after: plan.settings.timeouts.connect, atMost: attempt.latest)
        }
        return isPending ? .pending(entry) : connected(entry, attempt)
    }

    /// The protocol of a group's processes.
    func codec(of group: Int) -> UpstreamCodec {
        plan.fastCGI[group] == nil ? .http1 : .fastCGI
    }

    /// Counts a connection about to be made; false: the maximum is reached, and no idle one here
    /// could be closed for it.
    ///
    /// The number is bounded so that the rest of the program always has descriptors left.
    private func takeDescriptor() -> Bool {
        if shared.takeUpstream(limit: plan.settings.upstreams) { return true }
        guard let idle = upstreams.takenEntries().first(where: { upstreams[$0].phase == .idle })
        else {
            return false
        }
        upstreams.close(idle)
        return shared.takeUpstream(limit: plan.settings.upstreams)
    }

    /// Reserves an entry, without a socket, for a process whose backlog is full, until the retry.
    ///
    /// - Returns: nil: no entry is free.
    func postpone(
        to process: ProcessHandle, group: Int, after pause: Interval, _ attempt: ConnectAttempt
    ) -> Int? {
        let waiting = Upstream(
            nil, codec(of: group), group: Int32(truncatingIfNeeded: group), process: process,
            phase: .postponed,
            exchange: Int32(truncatingIfNeeded: attempt.exchange))
        guard let entry = upstreams.enter(waiting, writable: false) else { return nil }
        upstreams.setDeadline(entry, after: pause, atMost: attempt.latest)
        return entry
    }

    private func failed(_ code: Int32) -> ConnectStep {
        switch code {
        case let code where SystemError.isScarcity(code):
            shared.logThrottle.note(
                .connecting, now: upstreams.now,
                "requests are refused, for no connection to a process can be made:"
                    + " \(SystemError.message(code)); \(SystemError.remedy(code))")
            return .failed(.noResources)
        // A unix socket with a full backlog.
        case EAGAIN: return .failed(.backlogFull)
        case ETIMEDOUT: return .failed(.timedOut)
        default: return .failed(.refused)
        }
    }

    /// Handles an event of a connection that is not established yet.
    func continueConnecting(
        _ entry: Int, _ readiness: Readiness, _ attempt: ConnectAttempt
    ) -> ConnectStep {
        if upstreams[entry].phase == .handshaking { return continueHandshake(entry) }
        if let code = upstreams[entry].transport?.socket.connectFailure() {
            return connectFailed(entry, code, attempt)
        }
        return readiness.isWritable ? connected(entry, attempt) : .pending(entry)
    }

    /// A connection failed before it was established; its process may have another address.
    func connectFailed(
        _ entry: Int, _ code: Int32, _ attempt: ConnectAttempt
    ) -> ConnectStep {
        let (process, group) = (upstreams[entry].process, Int(upstreams[entry].group))
        let isToOther = upstreams[entry].isToOther
        upstreams.close(entry)
        return refused(code, process, group, byOther: isToOther, attempt)
    }

    /// No listener at an address of a process: tries its other one, if it has one.
    ///
    /// Servers at `localhost` listen on either loopback address, or both.
    private func refused(
        _ code: Int32, _ process: ProcessHandle, _ group: Int, byOther: Bool,
        _ attempt: ConnectAttempt
    ) -> ConnectStep {
        // IPv4 or IPv6 itself may be missing.
        let isAbsent = code == ECONNREFUSED || code == EADDRNOTAVAIL || code == ENETUNREACH
        if byOther { return refused(isAbsent ? ECONNREFUSED : code, process, group) }
        guard isAbsent, let other = upstreams.pools.otherAddress(of: process, group: group) else {
            return refused(code, process, group)
        }
        return connect(to: other, process, group, isOther: true, attempt)
    }

    /// No address of a process accepts a connection; why a server does not is logged.
    private func refused(_ code: Int32, _ process: ProcessHandle, _ group: Int) -> ConnectStep {
        if !plan.settings.groups[group].isSpawned, code != EAGAIN, !SystemError.isScarcity(code) {
            let registry = plan.groups[group]
            let label = registry.identity(of: process)?.label ?? ""
            shared.logThrottle.note(
                .unreachable, of: group, now: upstreams.now,
                "the server \(label) of group \(registry.name) cannot be reached:"
                    + " \(SystemError.message(code))")
        }
        return failed(code)
    }

    /// The connection is established: TLS is next if the server uses it.
    private func connected(_ entry: Int, _ attempt: ConnectAttempt) -> ConnectStep {
        let group = Int(upstreams[entry].group)
        guard isOfItsProcess(entry) else { return connectFailed(entry, EACCES, attempt) }
        if upstreams[entry].isToOther {
            upstreams.pools.preferOther(of: upstreams[entry].process, group: group)
        }
        guard let server = secureServer(upstreams[entry].process, group: group) else {
            upstreams[entry].move(to: .busy)
            return .ready(entry)
        }
        guard case .clear(let socket) = upstreams[entry].transport else {
            preconditionFailure("TLS begins on a connection in clear")
        }
        guard
            let tls = TLSStream(
                connecting: server.context, serverName: server.name, descriptor: socket.descriptor)
        else { return connectFailed(entry, ENOMEM, attempt) }
        upstreams[entry].transport = .secure(tls, socket)
        upstreams[entry].move(to: .handshaking)
        return continueHandshake(entry)
    }

    private func secureServer(_ process: ProcessHandle, group: Int) -> SecureServer? {
        let servers = plan.settings.groups[group].secureServers
        if servers.isEmpty { return nil }
        return plan.groups[group].place(of: process).flatMap { servers[$0] }
    }

    private func continueHandshake(_ entry: Int) -> ConnectStep {
        guard case .secure(let tls, _) = upstreams[entry].transport else {
            preconditionFailure("only a connection with TLS is in its handshake")
        }
        switch tls.handshake() {
        case .wantsRead:
            upstreams.watchWrites(entry, false)
            return .pending(entry)
        case .wantsWrite:
            upstreams.watchWrites(entry, true)
            return .pending(entry)
        case .done:
            upstreams.watchWrites(entry, false)
            upstreams[entry].isReadable = true
            upstreams[entry].move(to: .busy)
            return .ready(entry)
        case .failed(let problem):
            let index = Int(upstreams[entry].group)
            let group = plan.groups[index]
            let label = group.identity(of: upstreams[entry].process)?.label ?? ""
            shared.logThrottle.note(
                .serverTLS, of: index, now: upstreams.now,
                "no TLS with the server \(label) of group \(group.name): \(problem)")
            upstreams.close(entry)
            return .failed(.tlsFailed)
        }
    }
}
