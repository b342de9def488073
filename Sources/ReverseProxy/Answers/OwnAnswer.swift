internal import Backends
internal import Exchanges

/// An answer that Mooring makes itself.
struct OwnAnswer {
    let status: UInt16
    /// The error type of `Proxy-Status` (RFC 9209 section 2.3).
    let error: StaticString
    /// For people and for the field's `details`; says nothing of the inside.
    let details: StaticString
    /// 0: no `Retry-After`.
    var retryAfterSeconds = 0
    /// Whether the connection ends after it.
    var closes = false
    /// Whether there is a point in asking again.
    var mayBeAskedAgain = true
    /// The visitor has a place in the queue.
    var isWaiting = false

    static let badRequest = OwnAnswer(
        status: 400, error: "http_request_error", details: "bad request", closes: true)
    static let noHost = OwnAnswer(status: 400, error: "http_request_error", details: "no host")
    static let pathAboveRoot = OwnAnswer(
        status: 400, error: "http_request_error", details: "path above the root")
    static let hiddenDotSegments = OwnAnswer(
        status: 400, error: "http_request_error", details: "path with hidden dot segments")
    static let backslash = OwnAnswer(
        status: 400, error: "http_request_error", details: "path with a backslash")
    static let noRoute = OwnAnswer(
        status: 404, error: "destination_not_found", details: "no route")
    static let requestTimeout = OwnAnswer(
        status: 408, error: "http_request_error", details: "request too slow", closes: true)
    static let headTooLarge = OwnAnswer(
        status: 431, error: "http_request_error", details: "request head too large")
    static let bodyTooLarge = OwnAnswer(
        status: 413, error: "http_request_error", details: "request body too large", closes: true)
    static let connectionRefused = OwnAnswer(
        status: 502, error: "connection_refused", details: "no connection to the process")
    static let connectionTerminated = OwnAnswer(
        status: 502, error: "connection_terminated", details: "the process broke off")
    static let badResponse = OwnAnswer(
        status: 502, error: "http_protocol_error", details: "bad response from the process")
    static let tlsFailed = OwnAnswer(
        status: 502, error: "tls_certificate_error", details: "no TLS with the server")
    static let connectTimeout = OwnAnswer(
        status: 504, error: "connection_timeout", details: "no connection to the process in time")
    static let gatewayTimeout = OwnAnswer(
        status: 504, error: "http_response_timeout", details: "no response from the process in time"
    )
    static let requestTookTooLong = OwnAnswer(
        status: 504, error: "http_response_timeout", details: "the request took too long")
    static let processBusy = OwnAnswer(
        status: 503, error: "connection_limit_reached", details: "the process is behind",
        retryAfterSeconds: 1)
    static let noResources = OwnAnswer(
        status: 503, error: "proxy_internal_error", details: "out of resources",
        retryAfterSeconds: 1)

    /// `spawns_per_source`.
    private static func tooManySpawns(retryAfterSeconds: Int) -> OwnAnswer {
        OwnAnswer(
            status: 429, error: "http_request_denied",
            details: "too many new processes for one client", retryAfterSeconds: retryAfterSeconds)
    }

    /// A process starts, or others are ahead in the queue.
    static func waiting(_ seconds: Int) -> OwnAnswer {
        OwnAnswer(
            status: 503, error: "destination_unavailable", details: "waiting for a process",
            retryAfterSeconds: seconds, isWaiting: true)
    }

    /// What a refusal of the registry looks like to the client.
    private static func refusal(_ refusal: Refusal, isSpawned: Bool) -> OwnAnswer {
        let details: StaticString
        let error: StaticString
        switch refusal.reason {
        case .queueFull: (error, details) = ("destination_unavailable", "queue full")
        case .processQueueFull:
            (error, details) = ("destination_unavailable", "queue of the session's process full")
        case .queueTimeout: (error, details) = ("destination_unavailable", "waited too long")
        case .groupFailing:
            (error, details) = (
                "destination_unavailable",
                isSpawned ? "no process can be started" : "no server can be reached"
            )
        case .sessionLost:
            (error, details) = ("destination_unavailable", "the session has ended")
        case .shuttingDown: (error, details) = ("proxy_internal_response", "shutting down")
        }
        return OwnAnswer(
            status: 503, error: error, details: details,
            retryAfterSeconds: max(1, refusal.retryAfterSeconds),
            mayBeAskedAgain: refusal.reason != .sessionLost)
    }
}

extension OwnAnswer {
    /// What an exchange has come to, as the client sees it.
    init(_ problem: Problem, isSpawned: Bool) {
        self =
            switch problem {
            case .badRequest: .badRequest
            case .requestTimeout: .requestTimeout
            case .headTooLarge: .headTooLarge
            case .bodyTooLarge: .bodyTooLarge
            case .connectionRefused: .connectionRefused
            case .connectionTerminated: .connectionTerminated
            case .badResponse: .badResponse
            case .tlsFailed: .tlsFailed
            case .connectTimeout: .connectTimeout
            case .gatewayTimeout: .gatewayTimeout
            case .requestTookTooLong: .requestTookTooLong
            case .processBusy: .processBusy
            case .noResources: .noResources
            case .tooManySpawns(let seconds): .tooManySpawns(retryAfterSeconds: seconds)
            case .refusal(let refusal): .refusal(refusal, isSpawned: isSpawned)
            }
    }
}
