internal import Backends
internal import Foundation
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

/// One loop with a group of servers, whose turns are taken by hand: no thread, and nothing waits.
///
/// Clients are ends of socket pairs; the servers are sockets in a folder of its own, which the test answers
/// for. The invariants of the loop are checked at the end of every turn.
final class WorkerFixture {
    let worker: Worker
    let group: Group
    private let shared: SharedState
    private let folder: String
    private var servers: [Int32] = []

    var owners: Owners { worker.owners }

    init(
        servers count: Int = 1,
        _ configure: (inout ProxySettings) -> Void = { _ in },
        policy configurePolicy: (inout GroupPolicy) -> Void = { _ in },
        onErrors: @escaping @Sendable (ErrorText) -> Void = { _ in }
    ) throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("worker-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false)
        folder = directory.path
        let loop = try EventLoop()
        var settings = ProxySettings(
            listeners: [ListenerSettings(.inherited(name: "test"))],
            routes: RouteTable([Route(prefix: "/", group: 0)]),
            routeSettings: [
                RouteSettings(
                    group: 0, strippedPrefix: "",
                    affinity: AffinitySettings(cookie: CookieAttributes(name: "mooring")))
            ],
            groups: [ProxyGroupSettings(name: "app")],
            keyring: Keyring(firstKey: [UInt8](repeating: 1, count: 32)))
        settings.groups[0].isSpawned = false
        settings.limits.connections = 64
        configure(&settings)
        let share = WorkerShare(name: "proxy-0", mailbox: Mailbox(waker: loop.waker))
        var policy = GroupPolicy(name: "app")
        let folder = folder
        policy.kind = .external(
            (0..<count).map { .init(address: .unix(path: "\(folder)/\($0)")) })
        configurePolicy(&policy)
        group = Group(
            index: 0, policy: policy, seed: 1, executor: Deliveries(share),
            now: MonotonicInstant(nanoseconds: loop.now))
        shared = SharedState(
            settings: settings, groups: [group], shares: [share], accessLog: nil,
            logThrottle: LogThrottle { _, _ in }, onErrors: onErrors)
        worker = Worker(index: 0, shared: shared, loop: loop)
        group.start(now: MonotonicInstant(nanoseconds: loop.now))
        for index in 0..<count { servers.append(try Self.listen("\(folder)/\(index)")) }
    }

    deinit {
        for index in servers.indices { stopListening(index) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Turns

    /// Takes turns until nothing more happens.
    func run() { for _ in 0..<8 { worker.takeTurn(until: 0) } }

    /// Takes turns until something is so, for which a deadline has to pass.
    func run(until isSo: () -> Bool) throws {
        let latest = owners.loop.now + 10_000_000_000
        while !isSo() {
            worker.takeTurn(until: owners.deadlines.next ?? owners.loop.now)
            try #require(owners.loop.now < latest, "it has not come to that")
        }
    }

    // MARK: Clients

    /// A client that has connected.
    func connect() throws -> Peer {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        shared.connectionOpened(worker: 0)
        shared.shares[0].mailbox.post(
            .accepted(StreamSocket(descriptor: ends[0]), try .tcp("192.0.2.1", 1), 0))
        run()
        return Peer(ends[1])
    }

    /// Stops listening and closes what is between two requests, for the given reason.
    func drain(_ purpose: DrainPurpose) {
        shared.shares[0].mailbox.post(.drain(until: .max, purpose))
        run()
    }

    /// As another loop asks that is about to connect to a process.
    func letGo(of process: ProcessHandle) {
        shared.shares[0].mailbox.post(.letGo(process, group: 0))
        run()
    }

    /// What the end of the program would wait for.
    var waiting: WaitingCounts {
        let counts = Mutex(WaitingCounts())
        let tally = WaitingTally(loops: 1) { counted in counts.withLock { $0 = counted } }
        shared.shares[0].mailbox.post(.count(tally))
        run()
        return counts.withLock { $0 }
    }

    // MARK: The process

    private static func listen(_ name: String) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let server = socket(AF_UNIX, kind, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(name.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try #require(Glibc.listen(server, 16) == 0)
        return server
    }

    /// Accepts no more connections.
    func stopListening(_ index: Int = 0) {
        if servers[index] >= 0 { Glibc.close(servers[index]) }
        servers[index] = -1
        _ = unsafe unlink("\(folder)/\(index)")
    }

    /// The next connection that has been made to a process.
    func accept(at index: Int = 0) throws -> Peer {
        let peer = acceptIfAny(at: index)
        return try #require(peer, "no connection has been made")
    }

    /// Whether no process has got a further connection.
    var isLeftAlone: Bool { servers.indices.allSatisfy { acceptIfAny(at: $0) == nil } }

    /// The next connection to a process; nil: none has been made.
    func acceptIfAny(at index: Int) -> Peer? {
        let descriptor = Glibc.accept(servers[index], nil, nil)
        if descriptor < 0 { return nil }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return Peer(descriptor)
    }
}

/// The other end of a connection, whose bytes are text here.
final class Peer {
    private(set) var descriptor: Int32
    /// The connection has ended, as far as has been read.
    private(set) var hasEnded = false

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    func say(_ text: String) { say(Array(text.utf8)) }

    func say(_ bytes: [UInt8]) {
        let sent = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        #expect(sent == bytes.count)
    }

    /// Sends a byte as often as the other end takes it now.
    ///
    /// - Returns: how often that was.
    func say(_ count: Int, of byte: UInt8) -> Int {
        let bytes = [UInt8](repeating: byte, count: min(count, 1 << 16))
        var said = 0
        while said < count {
            let most = min(bytes.count, count - said)
            let sent = unsafe send(descriptor, bytes, most, Int32(MSG_NOSIGNAL))
            if sent <= 0 { break }
            said += sent
        }
        return said
    }

    /// All that has come since the last call, as text.
    func hear() -> String { String(decoding: hearBytes(), as: UTF8.self) }

    /// All that has come since the last call.
    func hearBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(descriptor, &piece, piece.count, 0)
            if count == 0 || count < 0 && errno != EAGAIN { hasEnded = true }
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }

    /// Sends nothing more; what comes can still be read.
    func finish() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}

/// Takes the group's orders for waiters to the loop.
private final class Deliveries: OrderExecutor {
    private let share: WorkerShare

    init(_ share: WorkerShare) { self.share = share }

    func carryOut(_ orders: [TrafficOrder], group: Int) {
        for order in orders {
            switch order {
            case .grant(let tag, let grant): share.mailbox.post(.granted(tag, grant, group: group))
            case .refuse(let tag, let refusal): share.mailbox.post(.refused(tag, refusal))
            }
        }
    }

    func carryOut(_ orders: [SupervisionOrder], group: Int) {}
    func record(_ events: [RegistryEvent], group: Int) {}
    func deadlineMovedForward(group: Int) {}
    func roomWanted(group: Int) {}
}
