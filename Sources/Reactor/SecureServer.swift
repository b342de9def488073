/// The TLS settings of an external server.
package struct SecureServer: Sendable {
    package var context: TLSClientContext
    /// Sent as SNI, and verified against the certificate.
    package var name: String

    package init(context: TLSClientContext, name: String) {
        self.context = context
        self.name = name
    }
}
