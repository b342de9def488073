/// The phase of a client's connection, or of an HTTP/2 stream.
///
/// `greeting` -> `handshaking` -> `idle` -> `receivingHead` -> `exchange` -> `idle` …, and from
/// anywhere -> closed. An HTTP/2 connection is `multiplexed`; each of its streams is a downstream
/// of its own.
enum DownstreamPhase: UInt8, CaseIterable {
    /// New, or waiting for a PROXY header.
    ///
    /// Can transition to: handshaking, idle, receivingHead.
    case greeting
    /// TLS is being negotiated.
    ///
    /// Can transition to: idle, multiplexed, and exchange to answer a client that does not speak
    /// TLS.
    case handshaking
    /// Carries HTTP/2: its bytes belong to its streams.
    ///
    /// Can transition to: lingering.
    case multiplexed
    /// Nothing of the next request has arrived.
    ///
    /// Can transition to: receivingHead.
    case idle
    /// A head has begun and the header timeout runs. Can transition to: exchange, multiplexed.
    case receivingHead
    /// One exchange is active; pipelined requests wait.
    ///
    /// Can transition to: idle, lingering.
    case exchange
    /// The last response is sent; input is discarded, so that no RST destroys the response.
    case lingering

    /// The transition table: whether the next phase may follow this one.
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
