internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Testing

@testable internal import ReverseProxy

/// The owners of one loop, and what works on their state, without the loop: no thread, no listener, no process.
final class LoopFixture {
    let owners: Owners
    let duties: Duties
    let dispatcher: Dispatcher
    let connections: Connections

    var loop: EventLoop { owners.loop }
    var shared: SharedState { owners.shared }
    var buffers: Buffers { owners.buffers }
    var deadlines: Deadlines { owners.deadlines }
    var downstreams: Downstreams { owners.downstreams }
    var upstreams: Upstreams { owners.upstreams }
    var exchanges: ExchangeTable { owners.exchanges }

    init() throws {
        let loop = try EventLoop()
        let settings = ProxySettings(
            listeners: [], routes: RouteTable([]), routeSettings: [],
            groups: [ProxyGroupSettings(name: "app")],
            keyring: Keyring(firstKey: [UInt8](repeating: 1, count: 32)))
        let share = WorkerShare(name: "proxy-0", mailbox: Mailbox(waker: loop.waker))
        let shared = SharedState(
            settings: settings, groups: [], shares: [share], accessLog: nil,
            logThrottle: LogThrottle { _, _ in })
        owners = Owners(index: 0, shared: shared, loop: loop)
        duties = Duties(owners)
        dispatcher = Dispatcher(owners, duties)
        connections = Connections(owners, duties, dispatcher: dispatcher)
        owners.upstreams.pools.grow(groups: 1)
    }

    /// Two ends of a connection, of which neither waits.
    func pair() throws -> (StreamSocket, StreamSocket) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        return (StreamSocket(descriptor: ends[0]), StreamSocket(descriptor: ends[1]))
    }

    /// What has come at the other end.
    func read(_ socket: StreamSocket) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(socket.descriptor, &piece, piece.count, 0)
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }
}
