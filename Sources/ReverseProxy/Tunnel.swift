internal import HTTPWire

/// What an exchange knows of its tunnel: plain data.
struct Tunnel {
    /// The request asked for a WebSocket: pings are told from payload.
    var isWebSocket = false
    /// The group has `tunnel_slots`.
    var holdsSlot = false
    /// The client has finished sending, or is gone.
    var clientEnded = false
    /// Everything of the client has gone out and the process knows that it was all.
    var processIsTold = false
    var processEnded = false
    var clientIsTold = false
    /// Monotonic ns.
    var leaseRenewedAt: Int64 = 0
    /// The program ends, and a WebSocket's client is told: `no` -> `wanted` -> `sent`.
    var closing = Closing.no
    /// When a tunnel whose client was to be told ends in any case; monotonic ns.
    var closesBy = Int64.max
    private var fromClient = WebSocketFrames(isMasked: true)
    private var fromProcess = WebSocketFrames(isMasked: false)

    enum Closing: UInt8 {
        case no, wanted, sent
    }

    var isBetweenFramesToClient: Bool { fromProcess.isBetweenFrames }

    /// Whether bytes of the client are a sign of life of its user.
    mutating func notePassing(toProcess bytes: Span<UInt8>) -> Bool {
        isWebSocket ? fromClient.pass(bytes) : true
    }

    mutating func notePassing(toClient bytes: Span<UInt8>) -> Bool {
        isWebSocket ? fromProcess.pass(bytes) : true
    }
}
