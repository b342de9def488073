package import Backends

/// Why Mooring answers a request itself, as far as the exchange decides it.
package enum Problem: Equatable, Sendable {
    case badRequest
    /// The client stalled in the middle of its body.
    case requestTimeout
    case headTooLarge
    case bodyTooLarge
    case connectionRefused
    /// The process closed the connection before its response.
    case connectionTerminated
    case badResponse
    case tlsFailed
    case connectTimeout
    /// The process did not respond in time.
    case gatewayTimeout
    /// `request_timeout`.
    case requestTookTooLong
    /// The process's backlog was full for too long.
    case processBusy
    case noResources
    /// `spawns_per_source`.
    case tooManySpawns(retryAfterSeconds: Int)
    /// The registry sheds the request.
    case refusal(Refusal)
}

/// Why connecting to a process failed.
package enum ConnectFailure: Equatable, Sendable, CaseIterable {
    /// No process listens at the address, or it is gone.
    case refused
    case tlsFailed
    case timedOut
    /// Its backlog stayed full for `timeouts.connect`: it is alive but overloaded.
    case backlogFull
    /// The loop has no descriptor, memory or slab entry left.
    case noResources

    /// The response for the client when no other process can be tried.
    package var problem: Problem {
        switch self {
        case .refused: .connectionRefused
        case .tlsFailed: .tlsFailed
        case .timedOut: .connectTimeout
        case .backlogFull: .processBusy
        case .noResources: .noResources
        }
    }

    /// The outcome reported to the registry.
    ///
    /// A process of Mooring's own that does not answer is alive, or its exit would be known: it is
    /// overloaded, and keeps its sessions.
    package func outcome(isSpawned: Bool) -> ExchangeOutcome {
        switch self {
        case .refused, .tlsFailed: .connectFailed
        case .timedOut: isSpawned ? .failed : .connectFailed
        case .backlogFull: .failed
        case .noResources: .abandoned
        }
    }
}
