/// How much the data plane takes (`[limits]`).
package struct Limits: Equatable, Sendable {
    /// Bytes of a head, either way: 431 (414 for the request line), or 502.
    package var requestHead = 32 * 1024
    /// Bytes of a request body: 413; 0: no limit.
    package var requestBody = 0
    /// Bytes of a request body that are read before a slot is taken; 0: none.
    package var requestBuffer = 64 * 1024
    /// Bytes of a response that are kept for a slow client, so that its process is free; 0: none.
    package var responseBuffer = 256 * 1024
    /// New processes that one client address may cause in a minute; 0: no limit.
    package var spawnsPerSource = 30
    /// Bytes a second that a client must send (or take) at least, with some grace; 0: no floor.
    package var minRate = 240
    /// Client connections; above, none is accepted until one ends.
    package var connections = 10_000
    /// Bytes of all buffers together; nil: by the machine's memory.
    package var bufferMemory: Int?

    package init() {}

    /// What buffers get of a machine's memory when nobody has said: a thirty-second part.
    ///
    /// Between 64 MiB and 1 GiB, and on a small machine no more than a quarter.
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
            many cookies, which are answered 431 (414 for a long request line) otherwise.
            """),
        .size(
            "request_body", \.requestBody, in: 0...1 << 50,
            "The most bytes of a request body; a longer one is answered 413. `\"0\"`: no limit."),
        .size(
            "request_buffer", \.requestBuffer, in: 0...1 << 30,
            """
            Bytes of a request body that are read before the request takes a slot, so that \
            slow uploads hold none. Raise it where forms are larger; `"0"`: no body is \
            waited for.
            """),
        .size(
            "response_buffer", \.responseBuffer, in: 0...1 << 30,
            """
            Bytes of a response that are kept for a slow client, so that the process is free \
            for the next request. Raise it where pages are larger; `"0"`: the process waits \
            for the client.
            """),
        .integer(
            "spawns_per_source", \.spawnsPerSource, in: 0...100_000,
            """
            New processes that requests of one client address may cause in a minute. Raise \
            it where many visitors share an address; 0: no limit.
            """),
        .integer(
            "connections", \.connections, in: 1...1_000_000, needsRestart: true,
            """
            Client connections at once; beyond this none is accepted until one ends. It is \
            lowered to what the limit of open files (`LimitNOFILE=`) allows.
            """),
        .integer(
            "min_rate", \.minRate, in: 0...1_000_000_000,
            """
            Bytes per second that a client has to send, or take, on average; slower ones are \
            cut off. Lower it for clients on very poor lines; 0: no minimum.
            """),
        .automaticSize(
            "buffer_memory", \.bufferMemory, in: 1 << 20...1 << 50,
            """
            Memory for all buffers together; when it is used up, slow clients have to wait. \
            `"auto"`: a thirty-second part of the machine's memory, from 64MiB to 1GiB.
            """),
    ]
}
