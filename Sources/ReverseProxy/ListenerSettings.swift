package import HTTPWire
package import Reactor
package import Settings

/// One address that the data plane listens on, and its settings.
package struct ListenerSettings: Sendable {
    package var address: ListenerAddress
    /// Offers HTTP/2: by ALPN on TLS, by prior knowledge on clear text.
    package var http2 = true
    /// Every connection must begin with a PROXY header.
    package var proxyProtocol = false
    /// The peers whose `X-Forwarded-*` and `Forwarded` fields are trusted.
    package var trusted = TrustedNetworks()
    /// Redirects requests to https.
    package var redirectsToHTTPS = false
    /// Added to responses.
    package var headers = ExtraFields()
    /// Generates an `X-Request-Id` for requests without one.
    package var givesRequestIDs = true
    /// Starts a trace for requests without `traceparent`.
    package var beginsTraces = true
    /// Nil: clear text.
    package var tls: TLSServerContext?

    package init(_ address: ListenerAddress) { self.address = address }

    /// As written in the configuration.
    package var text: String { address.text }
}
