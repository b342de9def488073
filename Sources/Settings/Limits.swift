/// Bounds of the data plane (`[limits]`).
package struct Limits: Equatable, Sendable {
    /// Bytes of a request or response head; more is answered 431 (414 for the request line), or
    /// 502.
    package var requestHead = 32 * 1024
    /// Bytes of a request body, above which it is answered 413; 0: no limit.
    package var requestBody = 0
    /// Bytes of a request body that are read before the request takes a slot; 0: none.
    package var requestBuffer = 64 * 1024
    /// Bytes of a response that are buffered for a slow client, to free its process; 0: none.
    package var responseBuffer = 256 * 1024
    /// New processes that one client address may cause per minute; 0: no limit.
    package var spawnsPerSource = 30
    /// Bytes per second that a client must send or read, after a grace period; 0: no minimum.
    package var minRate = 240
    /// Client connections; at the limit, accepting pauses until one closes.
    package var connections = 10_000
    /// Bytes of all buffers together; nil: derived from the machine's memory.
    package var bufferMemory: Int?

    package init() {}

    /// The default memory for buffers: 1/32 of the machine's memory.
    ///
    /// At least 64 MiB and at most 1 GiB, and on a small machine no more than a quarter.
    package static func bufferMemory(ofMachineWith bytes: Int) -> Int {
        max(1 << 20, min(max(bytes / 32, 64 << 20), 1 << 30, bytes / 4))
    }
}

extension Limits {
    /// The keys of `[limits]`.
    package static let keys: [Key<Limits>] = [
        .size(
            "request_head", \.requestHead, in: 1024...64 * 1024,
            """
            The most bytes of a request's or response's head. Raise it for clients with very \
            many cookies, which otherwise get 431 (414 for a long request line).
            """),
        .size(
            "request_body", \.requestBody, in: 0...1 << 50,
            "The most bytes of a request body; a longer one is answered 413. `\"0\"`: no limit."),
        .size(
            "request_buffer", \.requestBuffer, in: 0...1 << 30,
            """
            Bytes of a request body that are read before the request takes a slot, so that slow \
            uploads hold none. Raise it where forms are larger; `"0"`: requests take a slot \
            without waiting for the body.
            """),
        .size(
            "response_buffer", \.responseBuffer, in: 0...1 << 30,
            """
            Bytes of a response that are buffered for a slow client, so that the process is free \
            for the next request. Raise it where pages are larger; `"0"`: the process waits for \
            the client.
            """),
        .integer(
            "spawns_per_source", \.spawnsPerSource, in: 0...100_000,
            """
            New processes that requests from one client address may cause per minute. Raise it \
            where many visitors share an address; 0: no limit.
            """),
        .integer(
            "connections", \.connections, in: 1...1_000_000, needsRestart: true,
            """
            Concurrent client connections; at the limit, Mooring accepts none until one closes. \
            It is lowered to what the limit of open files (`LimitNOFILE=`) allows.
            """),
        .integer(
            "min_rate", \.minRate, in: 0...1_000_000_000,
            """
            Bytes per second that a client must send, or read, on average; slower clients are \
            disconnected. Lower it for clients on very slow lines; 0: no minimum.
            """),
        .automaticSize(
            "buffer_memory", \.bufferMemory, in: 1 << 20...1 << 50,
            """
            Memory for all buffers together; when it is used up, slow clients wait. `"auto"`: \
            1/32 of the machine's memory, from 64MiB to 1GiB.
            """),
    ]
}
