internal import Reactor
internal import Settings

/// Collects one loop's access log lines and passes them to the writer in batches.
struct AccessLogBuffer {
    private static let batchBytes = 48 * 1024
    /// The longest time that a line waits.
    private static let patience: Int64 = 100_000_000

    let isOn: Bool
    /// The format of lines that begin from now on; a reload may change it.
    var format: AccessLogSettings.Format
    private let writer: AccessLogWriter?
    private(set) var bytes: [UInt8] = []
    private var lines = 0
    /// When what waits is handed over, in monotonic ns; `Int64.max`: nothing waits.
    private(set) var flushAt = Int64.max

    init(writer: AccessLogWriter?, format: AccessLogSettings.Format) {
        self.writer = writer
        self.format = format
        isOn = writer != nil
        if isOn { bytes.reserveCapacity(Self.batchBytes + 16 * 1024) }
    }

    /// Ends a line that was appended piece by piece.
    mutating func endLine(now: Int64) {
        bytes.append(UInt8(ascii: "\n"))
        lines += 1
        if flushAt == Int64.max { flushAt = now &+ Self.patience }
        if bytes.count >= Self.batchBytes { flush() }
    }

    mutating func flushIfDue(now: Int64) {
        if now >= flushAt { flush() }
    }

    /// Hands over what waits.
    mutating func flush() {
        flushAt = Int64.max
        guard lines > 0 else { return }
        writer?.append(bytes, count: lines)
        lines = 0
        bytes = []
        bytes.reserveCapacity(Self.batchBytes + 16 * 1024)
    }

    mutating func append(_ text: StaticString) {
        unsafe bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ span: Span<UInt8>) {
        for index in 0..<span.count { bytes.append(span[index]) }
    }

    mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    /// Appends a client's bytes escaped: quotes, backslashes and everything but printable ASCII
    /// become `\xNN` (text) or `\u00NN` (JSON), so that one request is always one line.
    mutating func append(escaping span: Span<UInt8>) {
        for index in 0..<span.count {
            let byte = span[index]
            if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                bytes.append(byte)
            } else {
                append(format == .json ? "\\u00" : "\\x")
                bytes.append(Self.digit(byte >> 4))
                bytes.append(Self.digit(byte & 15))
            }
        }
    }

    /// Removes the last byte.
    mutating func dropLast() { bytes.removeLast() }

    mutating func append(hex value: UInt64, digits: Int) {
        for entry in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            bytes.append(Self.digit(UInt8(truncatingIfNeeded: value >> UInt64(entry)) & 15))
        }
    }

    mutating func append(decimal value: UInt64) {
        if value >= 10 { append(decimal: value / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    /// A span of nanoseconds as seconds with six digits.
    mutating func append(seconds nanoseconds: Int64) {
        let micros = UInt64(max(nanoseconds, 0)) / 1000
        append(decimal: micros / 1_000_000)
        bytes.append(UInt8(ascii: "."))
        append(padded: micros % 1_000_000, digits: 6)
    }

    mutating func append(padded value: UInt64, digits: Int) {
        var divisor: UInt64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
