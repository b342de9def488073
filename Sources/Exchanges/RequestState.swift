package import Backends

/// The request's progress on its way to a process.
package enum RequestState: Equatable, Sendable {
    /// Its head has been parsed, or rejected; nothing else has happened.
    ///
    /// Can transition to: buffering, queued, connecting, done.
    case parsed
    /// The body is read, up to `request_buffer`, before a slot is requested.
    ///
    /// Can transition to: queued, connecting, done.
    case buffering
    /// Waits for a slot; nothing has been sent.
    ///
    /// Can transition to: connecting, done, and to itself when its leader has none to share.
    case queued(Waiting)
    /// Has a slot, and waits for the connection to its process, whose backlog may be full.
    ///
    /// Can transition to: sending, done, and to queued or itself when the next process is tried.
    case connecting(Backlog)
    /// Head and body go to the process. Can transition to: done, and to connecting by a retry.
    case sending(Invitation)
    /// Everything was sent, or the rest is not wanted.
    ///
    /// Can transition to: connecting, by a retry; itself, when Mooring's own response follows.
    case done

    /// What a queued request waits for.
    package enum Waiting: Equatable, Sendable {
        /// Its turn in a queue of the registry.
        case turn(WaiterTicket)
        /// The request of the same connection that begins the session for both.
        case leader
    }

    /// Whether the process accepts connections.
    package enum Backlog: Equatable, Sendable {
        /// As far as is known.
        case open
        /// It was full: retries continue until then; monotonic ns.
        case full(until: Int64)
    }

    /// Whether the client holds its body back until the process invites it (RFC 9110 section
    /// 10.1.1).
    package enum Invitation: Equatable, Sendable {
        case none
        /// Mooring waits for the process's 100 until then; monotonic ns.
        case awaited(until: Int64)
    }

    /// A state without its payload.
    package enum Phase: Sendable, CaseIterable {
        case parsed, buffering, queued, connecting, sending, done
    }

    /// The state without its payload.
    @inline(__always)
    package var phase: Phase {
        switch self {
        case .parsed: .parsed
        case .buffering: .buffering
        case .queued: .queued
        case .connecting: .connecting
        case .sending: .sending
        case .done: .done
        }
    }
}

extension RequestState.Phase {
    /// The transition table: whether the next phase may follow this one.
    package func leads(to next: Self) -> Bool {
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
