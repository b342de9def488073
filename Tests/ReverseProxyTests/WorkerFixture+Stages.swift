internal import Backends
internal import Reactor
internal import Testing

@testable internal import ReverseProxy

/// How far requests come in tests, and what is left of them.
extension WorkerFixture {
    static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// A client that has sent a request.
    func send(_ request: String = WorkerFixture.get) throws -> Peer {
        let client = try connect()
        client.say(request)
        run()
        return client
    }

    /// What a client receives until that is enough, for which a deadline has to pass.
    func hear(_ client: Peer, until isEnough: (String) -> Bool) throws -> String {
        var heard = ""
        try run {
            heard += client.hear()
            return isEnough(heard)
        }
        return heard
    }

    /// A client, and the process that has its whole request.
    func begin(_ request: String = WorkerFixture.get) throws -> (client: Peer, process: Peer) {
        let client = try send(request)
        let process = try accept()
        _ = process.hear()
        return (client, process)
    }

    /// What the registry has given out and not got back.
    var slotsTaken: Int { snapshot.processes.reduce(0) { $0 + $1.inFlight } }

    /// How many wait for a slot, in the group's queue or a process's.
    var queued: Int { snapshot.processes.reduce(snapshot.queueLength) { $0 + $1.queued } }

    /// What the registry knows of the group.
    var snapshot: GroupSnapshot {
        group.snapshot(now: MonotonicInstant(nanoseconds: owners.loop.now))
    }

    /// What is held for requests; empty: nothing is.
    var leftovers: [String] {
        var found: [String] = []
        if owners.exchanges.slab.count > 0 { found.append("an exchange") }
        if !owners.upstreams.abandoned.isEmpty { found.append("a request that was left behind") }
        if owners.buffers.blocksInUse > 0 { found.append("a block") }
        if owners.buffers.linksInUse > 0 { found.append("a link of a chain") }
        if owners.counters[.tunnels] > 0 { found.append("a tunnel") }
        if owners.counters[.requestsActive] > 0 { found.append("an active request") }
        if slotsTaken > 0 { found.append("a slot") }
        if queued > 0 { found.append("a turn in a queue") }
        return found
    }

    /// Lets the deadline of a connection to a process pass.
    func expire(process entry: Int) {
        owners.upstreams[entry].deadline = owners.loop.now
        owners.deadlines.cancel(process: entry)
        owners.deadlines.schedule(process: entry, at: owners.loop.now)
        remind()
    }

    /// Lets the deadline of a client pass.
    func expire(client entry: Int) {
        owners.downstreams[entry].deadline = owners.loop.now
        owners.deadlines.cancel(client: entry)
        owners.deadlines.schedule(client: entry, at: owners.loop.now)
        remind()
    }

    /// Lets what is due now come up: the loop waits for the wheel's next step.
    func remind() {
        let step = (owners.loop.now / TimerWheel.tick + 1) * TimerWheel.tick
        repeat { worker.takeTurn(until: step) } while owners.loop.now < step
        run()
    }
}
