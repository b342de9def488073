internal import HTTPWire

/// Who is at the other end: for the log, and as the fields that a backend is told.
struct PeerText {
    private(set) var host = InlineArray<40, UInt8>(repeating: 0)
    private(set) var hostCount = 0
    /// `X-Forwarded-For` and `X-Forwarded-Proto`, each with its CRLF.
    private(set) var fields = InlineArray<112, UInt8>(repeating: 0)
    private(set) var fieldCount = 0

    /// - Parameter address: nil: a unix socket, which has none to tell (RFC 7239 section 6.3).
    init(_ address: IPAddress?, isSecure: Bool) {
        hostCount = Self.fill(&host) { sink in
            if let address {
                address.write(into: &sink)
            } else {
                sink.append("unknown")
            }
        }
        fieldCount = Self.fill(&fields) { sink in
            SenderLines.write(client: address, isSecure: isSecure, into: &sink)
        }
    }

    private static func fill<let size: Int>(
        _ bytes: inout InlineArray<size, UInt8>, _ write: (inout ByteSink) -> Void
    ) -> Int {
        var span = bytes.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            write(&sink)
            return sink.count
        }
    }
}
