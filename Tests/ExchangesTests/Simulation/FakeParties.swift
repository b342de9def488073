internal import Backends
internal import HTTPWire
internal import Synchronization
internal import Testing

@testable internal import Exchanges

/// A piece of a message, with the exchange that it belongs to; the head is number 0.
struct Piece: Equatable {
    var exchange: Int
    var number: Int
}

/// The pieces that a process sends, one after the other.
enum Reply: Equatable {
    case interim(status: UInt16, Piece)
    case head(BodyFraming, keepsConnection: Bool, isEventStream: Bool, Piece)
    case body(Piece)
    /// The framing marks the body as complete.
    case end
    case switching(Piece)
    /// No HTTP, or more than the response.
    case garbage
}

/// A connection to a process, with what both sides have done on it.
final class FakeConnection {
    let process: ProcessHandle
    var exchange: Int?
    /// Not established yet, or its process's backlog is full.
    var isPending = false
    var isPostponed = false
    var isReused = false
    var sentAny = false
    /// The process takes what it is sent.
    var takes = true
    /// The process has closed its side; what it sent before may still be read.
    var hasClosed = false
    /// What has come and was not read yet.
    var unread: [Reply] = []
    /// What the process is going to say, and then closes if it is to.
    var script: [Reply] = []
    var closesBehindScript = false
    var waitsForWholeRequest = false
    /// Pieces of the request that the process has read, and how many it expects.
    var read = 0
    var expected = 0
    var serves = -1

    init(_ process: ProcessHandle) { self.process = process }

    var hasWholeRequest: Bool { read == expected }
}

/// A client's request, the exchange it is, and what the client has got.
final class FakeExchange {
    let id: Int
    var machine: ExchangeMachine
    /// Pieces of the body, how many of them have come, and how many were sent on this attempt.
    let count: Int
    var arrived = 0
    var sent = 0
    var hasSentHead = false
    /// Its body turns out to be none at the end.
    let lies: Bool
    var connection: FakeConnection?
    /// Connections whose process has read some of it.
    var attempts: [ObjectIdentifier] = []
    /// The client reads what it is sent.
    var takes = true
    var hasEnded = false
    var output: [Piece] = []
    var received: [Piece] = []
    /// Final heads, and answers of Mooring's own.
    var answers = 0
    /// The response ends with its process's connection.
    var endsWithConnection = false
    var isIdempotent: Bool { machine.traits.isIdempotent }
    var holdsStoredBody = false

    init(id: Int, machine: ExchangeMachine, count: Int, lies: Bool) {
        self.id = id
        self.machine = machine
        self.count = count
        self.lies = lies
    }
}

/// What broke, for the seed that shows it.
struct Violation: Error, CustomStringConvertible {
    var description: String
}

/// Keeps the registry's orders until the run attends to them.
final class OrderMail: OrderExecutor {
    private let traffic = Mutex<[TrafficOrder]>([])

    func carryOut(_ orders: [TrafficOrder], group: Int) { traffic.withLock { $0 += orders } }
    func carryOut(_ orders: [SupervisionOrder], group: Int) {}
    func record(_ events: [RegistryEvent], group: Int) {}
    func deadlineMovedForward(group: Int) {}
    func roomWanted(group: Int) {}

    var grants: Int {
        traffic.withLock { orders in
            orders.count { if case .grant = $0 { true } else { false } }
        }
    }

    func takeFirst() -> TrafficOrder? {
        traffic.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}
