/// How far the request of an exchange has come on its way to a process.
enum RequestPhase: UInt8, CaseIterable {
    /// Its head has been parsed, or rejected; nothing has been done about it.
    ///
    /// Can transition to: buffering, queued, connecting, done.
    case parsed
    /// The body is read, up to `request_buffer`, before a slot is asked for.
    ///
    /// Can transition to: queued, connecting, done.
    case buffering
    /// Waits for a slot in a queue of the registry, or for the exchange that leads on its connection;
    /// nothing has been sent.
    ///
    /// Can transition to: connecting, done, and to itself when the leader has none to share.
    case queued
    /// Has a slot, and waits for the connection to its process.
    ///
    /// Can transition to: sending, done, and to queued or itself when the next process is tried.
    case connecting
    /// Head and body go to the process. Can transition to: done, and to connecting by a retry.
    case sending
    /// Everything was handed over, or nobody wants the rest.
    ///
    /// Can transition to: connecting, by a retry; itself, when an answer of Mooring's own follows.
    case done

    /// The whole table: whether the next phase may follow on this one.
    func leads(to next: RequestPhase) -> Bool {
        switch self {
        case .parsed:
            switch next {
            case .buffering, .queued, .connecting, .done: true
            case .parsed, .sending: false
            }
        case .buffering:
            switch next {
            case .queued, .connecting, .done: true
            case .parsed, .buffering, .sending: false
            }
        case .queued:
            switch next {
            case .queued, .connecting, .done: true
            case .parsed, .buffering, .sending: false
            }
        case .connecting:
            switch next {
            case .queued, .connecting, .sending, .done: true
            case .parsed, .buffering: false
            }
        case .sending, .done:
            switch next {
            case .connecting, .done: true
            case .parsed, .buffering, .queued, .sending: false
            }
        }
    }
}

/// How far the response of an exchange has come on its way to the client.
enum ResponsePhase: UInt8, CaseIterable {
    /// No final head has come from the process. Can transition to: streaming, tunnel, received.
    case awaitingHead
    /// The body passes through. Can transition to: received.
    case streaming
    /// All of it is here, the slot is given back; the client may still be reading.
    case received
    /// The process has switched protocols: bytes pass both ways until both sides have ended.
    case tunnel

    /// The whole table: whether the next phase may follow on this one.
    func leads(to next: ResponsePhase) -> Bool {
        switch self {
        case .awaitingHead:
            switch next {
            case .streaming, .tunnel, .received: true
            case .awaitingHead: false
            }
        case .streaming:
            switch next {
            case .received: true
            case .awaitingHead, .streaming, .tunnel: false
            }
        case .received, .tunnel: false
        }
    }
}
