/// The phase of a connection to a process.
///
/// `connecting` -> (`handshaking` ->) `busy` -> `idle` -> `busy` …, and from anywhere -> closed.
enum UpstreamPhase: UInt8, CaseIterable {
    /// There is no socket: the process's backlog was full, and another attempt follows.
    case postponed
    /// The connection is not yet established. Can transition to: handshaking, busy.
    case connecting
    /// TLS is being negotiated. Can transition to: busy.
    case handshaking
    /// It carries an exchange. Can transition to: idle, abandoned.
    case busy
    /// In the pool of its process, or kept for its owner.
    ///
    /// Can transition to: busy.
    case idle
    /// Its client has left, but the process is not done with the request.
    case abandoned

    /// The transition table: whether the next phase may follow this one.
    func leads(to next: UpstreamPhase) -> Bool {
        switch self {
        case .postponed: false
        case .connecting:
            switch next {
            case .handshaking, .busy: true
            case .postponed, .connecting, .idle, .abandoned: false
            }
        case .handshaking:
            switch next {
            case .busy: true
            case .postponed, .connecting, .handshaking, .idle, .abandoned: false
            }
        case .busy:
            switch next {
            case .idle, .abandoned: true
            case .postponed, .connecting, .handshaking, .busy: false
            }
        case .idle:
            switch next {
            case .busy: true
            case .postponed, .connecting, .handshaking, .idle, .abandoned: false
            }
        case .abandoned: false
        }
    }

    /// Whether it serves an exchange, which references it.
    var hasExchange: Bool {
        switch self {
        case .postponed, .connecting, .handshaking, .busy: true
        case .idle, .abandoned: false
        }
    }
}
