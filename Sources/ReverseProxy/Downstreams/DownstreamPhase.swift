/// What a client's connection, or a stream of HTTP/2, is about.
///
/// `greeting` -> `handshaking` -> `idle` -> `receivingHead` -> `exchange` -> `idle` …, and from anywhere
/// -> closed. A connection of HTTP/2 is `multiplexed`; each of its streams is a downstream of its own.
enum DownstreamPhase: UInt8, CaseIterable {
    /// It is new, or its PROXY header is awaited. Can transition to: handshaking, idle, receivingHead.
    case greeting
    /// TLS is being negotiated.
    ///
    /// Can transition to: idle, multiplexed, and exchange to answer a client that speaks no TLS.
    case handshaking
    /// Carries HTTP/2: its bytes are those of its streams. Can transition to: lingering.
    case multiplexed
    /// Nothing of a next request has come. Can transition to: receivingHead.
    case idle
    /// A head has begun and the header timeout runs. Can transition to: exchange, multiplexed.
    case receivingHead
    /// One exchange is under way; what the client pipelines waits. Can transition to: idle, lingering.
    case exchange
    /// The last answer is out; what still comes is thrown away, so that no RST destroys the answer.
    case lingering

    /// The whole table: whether the next phase may follow on this one.
    func leads(to next: DownstreamPhase) -> Bool {
        switch self {
        case .greeting:
            switch next {
            case .handshaking, .idle, .receivingHead: true
            case .greeting, .multiplexed, .exchange, .lingering: false
            }
        case .handshaking:
            switch next {
            case .idle, .multiplexed, .exchange: true
            case .greeting, .handshaking, .receivingHead, .lingering: false
            }
        case .multiplexed:
            switch next {
            case .lingering: true
            case .greeting, .handshaking, .multiplexed, .idle, .receivingHead, .exchange: false
            }
        case .idle:
            switch next {
            case .receivingHead: true
            case .greeting, .handshaking, .multiplexed, .idle, .exchange, .lingering: false
            }
        case .receivingHead:
            switch next {
            case .exchange, .multiplexed: true
            case .greeting, .handshaking, .idle, .receivingHead, .lingering: false
            }
        case .exchange:
            switch next {
            case .idle, .lingering: true
            case .greeting, .handshaking, .multiplexed, .receivingHead, .exchange: false
            }
        case .lingering: false
        }
    }
}
