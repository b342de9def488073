/// A process's notification in one datagram, in the protocol of sd_notify(3).
///
/// Parsed from untrusted bytes: unknown content is ignored, never an error.
struct NotifyMessage: Equatable, Sendable {
    /// The longest datagram, as in systemd; a longer one is not read at all.
    static let sizeLimit = 4096
    /// The characters of a status that are kept.
    static let statusLimit = 256
    /// Longer extensions are cut: the process has to ask again.
    static let longestExtension: Int64 = 3_600_000_000_000
    static let longestWatchdog: Int64 = 86_400_000_000_000
    /// Shorter intervals would be missed by any process that waits for a processor.
    static let shortestWatchdog: Int64 = 100_000_000

    enum Watchdog: Equatable, Sendable {
        /// `WATCHDOG=1`: alive.
        case alive
        /// `WATCHDOG=trigger`: it has detected a failure of its own.
        case broken
    }

    /// `READY=1`.
    var isReady = false
    /// `STOPPING=1`.
    var isStopping = false
    /// `STATUS=`, made printable.
    var status: String?
    /// `EXTEND_TIMEOUT_USEC=` in nanoseconds.
    var extraTime: Int64?
    var watchdog: Watchdog?
    /// `WATCHDOG_USEC=` in nanoseconds; 0: stops watching.
    var watchdogInterval: Int64?
    /// `X_MOORING_BUSY=`: whether it has work other than requests.
    var isBusy: Bool?

    /// Whether it contains anything for the registry besides readiness.
    var hasNote: Bool { isStopping || status != nil || extraTime != nil || isBusy != nil }

    /// Parses `NAME=value` lines; the last of a name counts.
    init(_ bytes: Span<UInt8>) {
        var start = 0
        for index in 0...bytes.count {
            guard index == bytes.count || bytes[index] == UInt8(ascii: "\n") else { continue }
            take(bytes.extracting(start..<index))
            start = index + 1
        }
    }

    private mutating func take(_ line: Span<UInt8>) {
        var equals = 0
        while equals < line.count && line[equals] != UInt8(ascii: "=") { equals += 1 }
        guard equals < line.count else { return }
        let value = line.extracting((equals + 1)..<line.count)
        switch PrintableText.line(line.extracting(0..<equals)) {
        case "READY": isReady = isReady || Self.flag(value) == true
        case "STOPPING": isStopping = isStopping || Self.flag(value) == true
        case "STATUS": status = String(PrintableText.line(value).prefix(Self.statusLimit))
        case "EXTEND_TIMEOUT_USEC":
            extraTime = Self.nanoseconds(value).map { min($0, Self.longestExtension) }
        case "WATCHDOG":
            switch PrintableText.line(value) {
            case "1": watchdog = .alive
            case "trigger": watchdog = .broken
            default: break
            }
        case "WATCHDOG_USEC":
            watchdogInterval = Self.nanoseconds(value).map { nanoseconds in
                nanoseconds == 0
                    ? 0 : max(min(nanoseconds, Self.longestWatchdog), Self.shortestWatchdog)
            }
        case "X_MOORING_BUSY": isBusy = Self.flag(value)
        // MAINPID, FDSTORE and the like concern features of an init system.
        default: break
        }
    }

    private static func flag(_ value: Span<UInt8>) -> Bool? {
        guard value.count == 1 else { return nil }
        switch value[0] {
        case UInt8(ascii: "1"): return true
        case UInt8(ascii: "0"): return false
        default: return nil
        }
    }

    /// Parses decimal microseconds; a value that does not fit is the longest span.
    private static func nanoseconds(_ value: Span<UInt8>) -> Int64? {
        guard value.count > 0 else { return nil }
        var microseconds: Int64 = 0
        for index in 0..<value.count {
            guard value[index] >= UInt8(ascii: "0"), value[index] <= UInt8(ascii: "9") else {
                return nil
            }
            let digit = Int64(value[index] - UInt8(ascii: "0"))
            let (product, overflow) = microseconds.multipliedReportingOverflow(by: 10)
            // Saturates, so that the remaining digits are still validated.
            microseconds = overflow ? .max / 10 : min(product, .max - 9) + digit
        }
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : nanoseconds
    }
}
