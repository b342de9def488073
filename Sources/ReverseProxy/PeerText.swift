internal import HTTPWire

/// The peer's address: for the log, and as fields for the backend.
struct PeerText {
    private(set) var host = InlineArray<40, UInt8>(repeating: 0)
    private(set) var hostCount = 0
    /// `X-Forwarded-For` and `X-Forwarded-Proto`, each with its CRLF.
    private(set) var fields = InlineArray<112, UInt8>(repeating: 0)
    private(set) var fieldCount = 0

    /// - Parameter address: nil: a unix socket, which has none (RFC 7239 section 6.3).
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
