internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Testing

@testable internal import ReverseProxy

/// The owners of one loop, without the loop: no thread, no listener, no process.
final class LoopFixture {
    let loop: EventLoop
    let shared: SharedState
    let plan: Plan
    let buffers: Buffers
    let deadlines: Deadlines
    let agenda = Agenda()
    let drain = DrainState()
    let downstreams: Downstreams
    let upstreams: Upstreams

    init() throws {
        loop = try EventLoop()
        let settings = ProxySettings(
            listeners: [], routes: RouteTable([]), routeSettings: [],
            groups: [ProxyGroupSettings(name: "app")],
            keyring: Keyring(firstKey: [UInt8](repeating: 1, count: 32)))
        let share = WorkerShare(name: "proxy-0", mailbox: Mailbox(waker: loop.waker))
        shared = SharedState(
            settings: settings, groups: [], shares: [share], accessLog: nil,
            mishaps: Mishaps { _, _ in })
        plan = Plan(settings, groups: [])
        buffers = Buffers(settings, shares: [share], index: 0)
        deadlines = Deadlines(clients: 8, processes: 8, now: loop.now)
        downstreams = Downstreams(
            capacity: 8, index: 0, plan: plan, loop: loop, deadlines: deadlines, buffers: buffers,
            agenda: agenda, drain: drain, shared: shared)
        upstreams = Upstreams(
            capacity: 8, plan: plan, loop: loop, deadlines: deadlines, buffers: buffers,
            shared: shared)
        upstreams.pools.grow(groups: 1)
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
