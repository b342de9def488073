package import Backends

/// Why a request is answered by Mooring itself, as far as the exchange decides.
package enum Problem: Equatable, Sendable {
    case badRequest
    /// The client stopped in the middle of its body.
    case requestTimeout
    case headTooLarge
    case bodyTooLarge
    case connectionRefused
    /// The process broke off before its response.
    case connectionTerminated
    case badResponse
    case tlsFailed
    case connectTimeout
    /// No response from the process in time.
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

/// Why no connection to a process was made.
package enum ConnectFailure: Equatable, Sendable, CaseIterable {
    /// Nobody takes connections at its address, or the process is gone.
    case refused
    case tlsFailed
    case timedOut
    /// Its backlog was full for as long as is waited: it lives and is behind.
    case backlogFull
    /// The loop has no descriptor, memory or slab entry for one.
    case noResources

    /// What the client is told when no other process can be tried.
    package var problem: Problem {
        switch self {
        case .refused: .connectionRefused
        case .tlsFailed: .tlsFailed
        case .timedOut: .connectTimeout
        case .backlogFull: .processBusy
        case .noResources: .noResources
        }
    }

    /// What the registry is told of the process.
    ///
    /// A process of Mooring's own that does not answer is alive, or its end would be known: it is behind, and
    /// keeps its sessions.
    package func outcome(isSpawned: Bool) -> ExchangeOutcome {
        switch self {
        case .refused, .tlsFailed: .connectFailed
        case .timedOut: isSpawned ? .failed : .connectFailed
        case .backlogFull: .failed
        case .noResources: .abandoned
        }
    }
}
