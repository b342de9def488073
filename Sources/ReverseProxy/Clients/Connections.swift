internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Takes what happens to a client's connection beside its requests to whoever works on it, by what the
/// connection is at: greeting, TLS, HTTP/2, its end.
///
/// Belongs to the loop's thread. Extension: the end of the program.
final class Connections {
    /// How many steps of handshakes one turn takes before the others' events are looked at.
    ///
    /// A step of a server with an RSA key costs about a millisecond.
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

    /// Takes a connection into this loop and reads at once: the request is usually there already.
    func adopt(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) {
        guard let place = greeter.enter(socket, address, from: listener) else { return }
        goOn(place, greeter.greet(place))
    }

    /// Takes in a connection that another balancer has begun with.
    func adopt(_ moved: MovedConnection, from listener: Int) {
        guard let place = greeter.enter(moved, from: listener) else { return }
        goOn(place, greeter.greet(place, moved))
    }

    private func goOn(_ place: Int, _ outcome: Greeter.Outcome) {
        switch outcome {
        case .wait: break
        case .requests: readRequests(place)
        case .frames: frames.begin(place)
        case .reject(let problem): dispatcher.rejectHead(place, problem)
        }
    }

    /// Takes some handshakes a step further; the others wait for the next turn.
    func continueHandshakes() {
        for token in agenda.takeHandshakes(atMost: Self.handshakesPerTurn)
        where downstreams.holds(token.place, serial: token.serial)
            && downstreams[token.place].phase == .handshaking
        {
            goOn(token.place, greeter.continueHandshake(token.place))
        }
    }

    // MARK: Events

    /// A connection has had an event that is none of requests.
    func clientEvent(_ place: Int, _ readiness: Readiness) {
        if readiness.isBroken { return clientEnds.abandon(place) }
        switch downstreams[place].phase {
        case .idle, .receivingHead: frames.begin(place)
        case .greeting: goOn(place, greeter.readGreeting(place))
        case .handshaking: greeter.wantHandshake(place)
        case .multiplexed:
            let serial = downstreams.serial(place)
            if readiness.isWritable, downstreams[place].wantsWrite { frames.flush(place) }
            if downstreams.holds(place, serial: serial) { frames.read(place) }
        case .lingering: clientEnds.discard(place)
        case .exchange: break
        }
    }

    private func readRequests(_ place: Int) {
        if dispatcher.readRequests(place) { frames.begin(place) }
    }

    /// Serves what clients had sent ahead, once their exchange is over and the stack is empty.
    func serveWaiting() {
        while let place = agenda.takeReadAgain() {
            guard downstreams.isTaken(place) else { continue }
            switch downstreams[place].phase {
            case .idle, .receivingHead: readRequests(place)
            case .greeting, .handshaking, .multiplexed, .exchange, .lingering: continue
            }
        }
    }

    /// Sends the frames that the turn has made.
    func sendFrames() { frames.flushAll() }

    // MARK: Deadlines

    /// An entry of the wheel came up: too late, or only a reminder that is put back.
    func timerFired(_ place: Int) {
        guard downstreams.isTaken(place) else { return }
        let deadline = downstreams[place].deadline
        if deadline > downstreams.now {
            if deadline != Int64.max { deadlines.schedule(client: place, at: deadline) }
        } else {
            downstreams[place].deadline = Int64.max
            timedOut(place)
        }
    }

    private func timedOut(_ place: Int) {
        switch downstreams[place].phase {
        case .greeting, .handshaking, .idle, .lingering: clientEnds.close(place)
        case .multiplexed: frames.timedOut(place)
        case .receivingHead: dispatcher.rejectHead(place, Self.headTooSlow)
        case .exchange: dispatcher.clientTimedOut(place)
        }
    }
}
