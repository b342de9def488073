package import HTTPWire
package import Reactor
package import Settings

/// One address that the data plane listens on, and how its peers are spoken to.
package struct ListenerSettings: Sendable {
    package var address: ListenerAddress
    /// HTTP/2 is offered: by ALPN on TLS, by prior knowledge on clear text.
    package var http2 = true
    /// Every peer has to begin with a PROXY header.
    package var proxyProtocol = false
    /// Whose `X-Forwarded-*` and `Forwarded` are believed.
    package var trusted = TrustedNetworks()
    /// Clients that are not on https are sent there.
    package var redirectsToHTTPS = false
    /// Added to responses.
    package var headers = ExtraFields()
    /// Requests without `X-Request-Id` are given one.
    package var givesRequestIDs = true
    /// Requests without `traceparent` begin a trace.
    package var beginsTraces = true
    /// Nil: clear text.
    package var tls: TLSServerContext?

    package init(_ address: ListenerAddress) { self.address = address }

    /// As in the configuration.
    package var text: String { address.text }
}
