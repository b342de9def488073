internal import Backends
internal import Exchanges
internal import Glibc
internal import Reactor
internal import Settings

/// What a connection is made for.
struct ConnectAttempt {
    /// The exchange that waits for it.
    let exchange: Int
    /// When its request has had its time; monotonic ns.
    let latest: Int64
}

/// How far a connection has come.
enum ConnectStep {
    /// It stands, and takes a request.
    case ready(Int)
    /// An event follows, or the deadline.
    case pending(Int)
    case failed(ConnectFailure)
}

/// Makes connections to processes: from an address to a connection that stands.
///
/// Belongs to the loop's thread. What comes of an attempt it returns. Extension: whose program listens.
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

    /// Knows where a process is, asking the registry once for each; false: it is gone.
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

    /// Begins a connection to a process that is known.
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
            .clear(socket), group: Int32(truncatingIfNeeded: group), process: process,
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

    /// Counts a connection that is about to be made; false: there are as many as there may be, and
    /// none that is idle here could be closed for it.
    ///
    /// Their number is bounded so that the rest of the program always finds some descriptors.
    private func takeDescriptor() -> Bool {
        if shared.takeUpstream(limit: plan.settings.upstreams) { return true }
        guard let idle = upstreams.takenEntries().first(where: { upstreams[$0].phase == .idle })
        else {
            return false
        }
        upstreams.close(idle)
        return shared.takeUpstream(limit: plan.settings.upstreams)
    }

    /// Takes an entry for a process whose backlog is full, without a socket, until it is tried again.
    ///
    /// - Returns: nil: there is no room for one more.
    func postpone(
        to process: ProcessHandle, group: Int, after pause: Interval, _ attempt: ConnectAttempt
    ) -> Int? {
        let waiting = Upstream(
            nil, group: Int32(truncatingIfNeeded: group), process: process, phase: .postponed,
            exchange: Int32(truncatingIfNeeded: attempt.exchange))
        guard let entry = upstreams.enter(waiting, writable: false) else { return nil }
        upstreams.setDeadline(entry, after: pause, atMost: attempt.latest)
        return entry
    }

    private func failed(_ code: Int32) -> ConnectStep {
        switch code {
        case let code where SystemError.isScarcity(code):
            shared.mishaps.note(
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

    /// Goes on with a connection that has had an event before it stood.
    func continueConnecting(
        _ entry: Int, _ readiness: Readiness, _ attempt: ConnectAttempt
    ) -> ConnectStep {
        if upstreams[entry].phase == .handshaking { return continueHandshake(entry) }
        if let code = upstreams[entry].transport?.socket.connectFailure() {
            return connectFailed(entry, code, attempt)
        }
        return readiness.isWritable ? connected(entry, attempt) : .pending(entry)
    }

    /// A connection is given up before it stood, for an errno; its process may have another address.
    func connectFailed(
        _ entry: Int, _ code: Int32, _ attempt: ConnectAttempt
    ) -> ConnectStep {
        let (process, group) = (upstreams[entry].process, Int(upstreams[entry].group))
        let isToOther = upstreams[entry].isToOther
        upstreams.close(entry)
        return refused(code, process, group, byOther: isToOther, attempt)
    }

    /// Nobody takes connections at an address of a process: its other one is tried, if it has one.
    ///
    /// Servers at `localhost` listen at either loopback address, or both.
    private func refused(
        _ code: Int32, _ process: ProcessHandle, _ group: Int, byOther: Bool,
        _ attempt: ConnectAttempt
    ) -> ConnectStep {
        // What is missing may be IPv4 or IPv6 itself.
        let isAbsent = code == ECONNREFUSED || code == EADDRNOTAVAIL || code == ENETUNREACH
        if byOther { return failed(isAbsent ? ECONNREFUSED : code) }
        guard isAbsent, let other = upstreams.pools.otherAddress(of: process, group: group) else {
            return failed(code)
        }
        return connect(to: other, process, group, isOther: true, attempt)
    }

    /// The connection stands: TLS comes next where the server has it.
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
        return plan.groups[group].address(of: process).flatMap { servers[$0] }
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
            let group = plan.groups[Int(upstreams[entry].group)]
            let label = group.identity(of: upstreams[entry].process)?.label ?? ""
            shared.mishaps.note(
                .serverTLS, now: upstreams.now,
                "no TLS with the server \(label) of group \(group.name): \(problem)")
            upstreams.close(entry)
            return .failed(.tlsFailed)
        }
    }
}
