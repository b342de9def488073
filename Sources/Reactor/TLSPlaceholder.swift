// Holds the place of the TLS transport's types until their files are here; they replace this one.

/// Holds a place.
package final class TLSServerContext: Sendable {}
/// Holds a place.
package final class TLSClientContext: Sendable {}
/// Holds a place.
package enum TLSHandshake { case done, wantsRead, wantsWrite, failed(Int32) }
/// Holds a place.
package struct TLSStream {
    /// Holds a place.
    package enum Version { case http11, http2 }
    package init?(accepting: TLSServerContext, descriptor: Int32) { return nil }
    package init?(connecting: TLSClientContext, serverName: String, descriptor: Int32) {
        return nil
    }
    package func handshake() -> TLSHandshake { .failed(0) }
    package func receive(into block: inout Block) -> Transfer { .end }
    package func send(from block: inout Block) -> Transfer { .end }
    package func shutdown() {}
    package func free() {}
    package var negotiated: Version { .http11 }
}
