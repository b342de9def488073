package import Backends
package import HTTPWire
package import Reactor

/// One address that the data plane listens on, and how its peers are spoken to.
package struct ListenerSettings: Sendable {
    /// Where connections come from.
    package enum Place: Hashable, Sendable {
        case address(ProcessAddress)
        /// A socket that the service manager has opened, by its name (sd_listen_fds_with_names(3)).
        case inherited(name: String)
    }

    package var place: Place
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

    package init(_ place: Place) { self.place = place }

    /// As in the configuration.
    package var text: String {
        switch place {
        case .address(.unix(let path)): "unix:\(path)"
        case .address(.tcp(let host, let port)):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .inherited(let name): "fd:\(name)"
        }
    }
}
