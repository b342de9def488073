internal import HTTPWire
internal import Synchronization

/// How many processes each client address has caused within a minute, over all loops.
///
/// Looked at only when a request would make a process be started. Sources are IPv4 addresses and
/// IPv6 networks of 64 bits, which is what one customer has. The table is bounded: whoever has so many
/// addresses is not held by a limit for each.
final class SpawnLimiter: Sendable {
    /// Sources remembered at most.
    static let capacity = 8192
    private static let minute: Int64 = 60_000_000_000

    /// What a source has caused since its minute began.
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

    /// Counts a start for an address, if it may have one; else how many seconds until it may.
    ///
    /// - Parameters:
    ///   - address: nil: on a unix socket, and so of this machine: never limited.
    ///   - now: Monotonic ns.
    ///   - limit: Starts a minute; 0: no limit.
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
