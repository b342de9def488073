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
