internal import HTTPWire
internal import Synchronization

/// How many processes each client address has caused within a minute, over all loops.
///
/// Consulted only when a request would cause a start. Sources are IPv4 addresses and IPv6 networks
/// of 64 bits, which is what one customer has. The table is bounded, so a client with that many
/// addresses evades a limit per address anyway.
final class SpawnLimiter: Sendable {
    /// Sources remembered at most.
    static let capacity = 8192
    private static let minute: Int64 = 60_000_000_000

    /// The starts that a source has caused since its minute began.
    private struct Window {
        var start: Int64
        var count: Int
    }

    private struct Source: Hashable {
        var high: UInt64
        var low: UInt64

        init(_ address: IPAddress) {
            high = address.high
            low = address.isV4 ? address.low : 0
        }
    }

    private let windows = Mutex<[Source: Window]>([:])

    /// Counts a start for an address, if permitted; otherwise returns the seconds until one is.
    ///
    /// - Parameters:
    ///   - address: nil: a unix socket, and so a local client: never limited.
    ///   - now: monotonic ns.
    ///   - limit: starts per minute; 0: no limit.
    func secondsUntilAllowed(_ address: IPAddress?, now: Int64, limit: Int) -> Int? {
        guard let address, limit > 0 else { return nil }
        let source = Source(address)
        return windows.withLock { windows in
            if var window = windows[source], now &- window.start < Self.minute {
                if window.count >= limit {
                    let left = Self.minute &- (now &- window.start)
                    return Int((left &+ 999_999_999) / 1_000_000_000)
                }
                window.count += 1
                windows[source] = window
                return nil
            }
            if windows.count >= Self.capacity { Self.forget(&windows, now: now) }
            windows[source] = Window(start: now, count: 1)
            return nil
        }
    }

    private static func forget(_ windows: inout [Source: Window], now: Int64) {
        windows = windows.filter { now &- $0.value.start < minute }
        if windows.count >= capacity { windows.removeAll(keepingCapacity: true) }
    }
}
