internal import HTTPWire

/// The logged parts of a request's head, kept while a tunnel is open because the head's block is
/// released.
struct LoggedHead {
    /// The longest part of each kind that is kept and logged.
    enum Limit {
        static let requestLine = 2048
        static let host = 300
        static let userAgent = 1024
        static let referer = 2048
        static let requestID = 256
    }

    private(set) var bytes: [UInt8] = []
    /// The range of the request line.
    private(set) var line = 0..<0

    /// An unknown head.
    init() {}

    /// - Parameter keepsFields: whether the log shows more than the request line.
    init(_ head: Span<UInt8>, requestLine: Range<Int>, keepsFields: Bool) {
        append(head, requestLine, atMost: Limit.requestLine)
        line = 0..<bytes.count
        guard keepsFields else { return }
        let fields = LoggedFields(head, requestLine: requestLine)
        append("\nHost:", head, fields.host, atMost: Limit.host)
        append("\nUser-Agent:", head, fields.userAgent, atMost: Limit.userAgent)
        append("\nReferer:", head, fields.referer, atMost: Limit.referer)
        append("\nX-Request-ID:", head, fields.requestID, atMost: Limit.requestID)
    }

    private mutating func append(
        _ name: StaticString, _ head: Span<UInt8>, _ value: Range<Int>?, atMost limit: Int
    ) {
        guard let value else { return }
        unsafe bytes.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        append(head, value, atMost: limit)
    }

    private mutating func append(_ head: Span<UInt8>, _ range: Range<Int>, atMost limit: Int) {
        for index in range.prefix(limit) { bytes.append(head[index]) }
    }
}
