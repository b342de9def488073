internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Dispatches the events of a client's connection outside its requests, by its phase: greeting,
/// TLS, HTTP/2, closing.
///
/// Belongs to the loop's thread. Extension: draining.
final class Connections {
    /// How many handshake steps one turn takes before other events are handled.
    ///
    /// A step of a server with an RSA key takes about a millisecond.
    private static let handshakesPerTurn = 2
    private static let headTooSlow = HTTPProblem(status: 408, reason: "head too slow")

    let downstreams: Downstreams
    let exchanges: ExchangeTable
    let deadlines: Deadlines
    let agenda: Agenda
    let drain: DrainState
    private let greeter: Greeter
    let frames: Frames
    let dispatcher: Dispatcher
    let clientEnds: ClientEnds
    let handover: Handover

    init(_ owners: Owners, _ duties: Duties, dispatcher: Dispatcher) {
        downstreams = owners.downstreams
        exchanges = owners.exchanges
        deadlines = owners.deadlines
        agenda = owners.agenda
        drain = owners.drain
        greeter = Greeter(owners, clientEnds: duties.clientEnds)
        frames = Frames(owners, clientEnds: duties.clientEnds, dispatcher: dispatcher)
        self.dispatcher = dispatcher
        clientEnds = duties.clientEnds
        handover = duties.handover
    }

    // MARK: The beginning

    /// Adds a connection to this loop and reads at once, since the request has usually arrived.
    func adopt(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) {
        guard let entry = greeter.enter(socket, address, from: listener) else { return }
        goOn(entry, greeter.greet(entry))
    }

    /// Adds a connection that another balancer has begun to serve.
    func adopt(_ moved: MovedConnection, from listener: Int) {
        guard let entry = greeter.enter(moved, from: listener) else { return }
        goOn(entry, greeter.greet(entry, moved))
    }

    private func goOn(_ entry: Int, _ outcome: Greeter.Outcome) {
        switch outcome {
        case .wait: break
        case .requests: readRequests(entry)
        case .frames: frames.begin(entry)
        case .reject(let problem): dispatcher.rejectHead(entry, problem)
        }
    }

    /// Continues some handshakes; the others wait for the next turn.
    func continueHandshakes() {
        for token in agenda.takeHandshakes(atMost: Self.handshakesPerTurn)
        where downstreams.holds(token.entry, serial: token.serial)
            && downstreams[token.entry].phase == .handshaking
        {
            goOn(token.entry, greeter.continueHandshake(token.entry))
        }
    }

    // MARK: Events

    /// A connection has had an event outside of requests.
    func clientEvent(_ entry: Int, _ readiness: Readiness) {
        if readiness.isBroken { return clientEnds.abandon(entry) }
        switch downstreams[entry].phase {
        case .idle, .receivingHead: frames.begin(entry)
        case .greeting: goOn(entry, greeter.readGreeting(entry))
        case .handshaking: greeter.wantHandshake(entry)
        case .multiplexed:
            let serial = downstreams.serial(entry)
            if readiness.isWritable, downstreams[entry].wantsWrite { frames.flush(entry) }
            if downstreams.holds(entry, serial: serial) { frames.read(entry) }
        case .lingering: clientEnds.discard(entry)
        case .exchange: break
        }
    }

    private func readRequests(_ entry: Int) {
        if dispatcher.readRequests(entry) { frames.begin(entry) }
    }

    /// Serves pipelined requests, once their exchange is over and the stack is empty.
    func serveWaiting() {
        while let entry = agenda.takeReadAgain() {
            guard downstreams.isTaken(entry) else { continue }
            switch downstreams[entry].phase {
            case .idle, .receivingHead: readRequests(entry)
            case .greeting, .handshaking, .multiplexed, .exchange, .lingering: continue
            }
        }
    }

    /// Sends the frames produced in this turn.
    func sendFrames() { frames.flushAll() }

    // MARK: Deadlines

    /// A timer fired: the deadline has passed, or the entry is early and is scheduled again.
    func timerFired(_ entry: Int) {
        guard downstreams.isTaken(entry) else { return }
        let deadline = downstreams[entry].deadline
        if deadline > downstreams.now {
            if deadline != Int64.max { deadlines.schedule(client: entry, at: deadline) }
        } else {
            downstreams[entry].deadline = Int64.max
            timedOut(entry)
        }
    }

    private func timedOut(_ entry: Int) {
        switch downstreams[entry].phase {
        case .greeting, .handshaking, .idle, .lingering: clientEnds.close(entry)
        case .multiplexed: frames.timedOut(entry)
        case .receivingHead: dispatcher.rejectHead(entry, Self.headTooSlow)
        case .exchange: dispatcher.clientTimedOut(entry)
        }
    }
}
