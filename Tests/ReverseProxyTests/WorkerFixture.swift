internal import Backends
internal import Foundation
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// One loop with a group of one server, whose turns are taken by hand: no thread, and nothing waits.
///
/// Clients are ends of socket pairs; the server is a socket in a folder of its own, which the test answers
/// for. The invariants of the loop are checked at the end of every turn.
final class WorkerFixture {
    let worker: Worker
    let group: Group
    private let shared: SharedState
    private let folder: String
    private var server: Int32 = -1

    var owners: Owners { worker.owners }

    init(
        _ configure: (inout ProxySettings) -> Void = { _ in },
        policy configurePolicy: (inout GroupPolicy) -> Void = { _ in }
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
        policy.kind = .external([.init(address: .unix(path: folder + "/s"))])
        configurePolicy(&policy)
        group = Group(
            index: 0, policy: policy, seed: 1, executor: Deliveries(share),
            now: MonotonicInstant(nanoseconds: loop.now))
        shared = SharedState(
            settings: settings, groups: [group], shares: [share], accessLog: nil,
            mishaps: Mishaps { _, _ in })
        worker = Worker(index: 0, shared: shared, loop: loop)
        group.start(now: MonotonicInstant(nanoseconds: loop.now))
        try listen()
    }

    deinit {
        stopListening()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Turns

    /// Takes turns until nothing more happens.
    func run() { for _ in 0..<8 { worker.takeTurn(until: 0) } }

    // MARK: Clients

    /// A client that has connected.
    func connect() throws -> Peer {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        shared.connectionOpened(worker: 0)
        shared.shares[0].mailbox.post(
            .accepted(StreamSocket(descriptor: ends[0]), try .unix("/client"), 0))
        run()
        return Peer(ends[1])
    }

    /// Stops listening and closes what is between two requests, for the given reason.
    func drain(_ purpose: DrainPurpose) {
        shared.shares[0].mailbox.post(.drain(until: .max, purpose))
        run()
    }

    // MARK: The process

    private func listen() throws {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        server = socket(AF_UNIX, kind, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array((folder + "/s").utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try #require(Glibc.listen(server, 16) == 0)
    }

    /// Nobody takes connections any more.
    func stopListening() {
        if server >= 0 { Glibc.close(server) }
        server = -1
        _ = unsafe unlink(folder + "/s")
    }

    /// The next connection that has been made to the process.
    func accept() throws -> Peer {
        let peer = acceptIfAny()
        return try #require(peer, "no connection has been made")
    }

    /// Whether the process has got no further connection.
    var isLeftAlone: Bool { acceptIfAny() == nil }

    private func acceptIfAny() -> Peer? {
        let descriptor = Glibc.accept(server, nil, nil)
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

    func say(_ text: String) {
        let bytes = Array(text.utf8)
        let sent = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        #expect(sent == bytes.count)
    }

    /// Says a byte as often as the other end takes it now.
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

    /// All that has come since the last call.
    func hear() -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(descriptor, &piece, piece.count, 0)
            if count == 0 || count < 0 && errno != EAGAIN { hasEnded = true }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    /// Nothing more is said; what comes can still be heard.
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
