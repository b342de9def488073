package import Backends

extension Configuration {
    /// A response field of the configuration's own.
    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    /// One `[[listen]]`.
    package struct Listener: Equatable, Sendable {
        /// Where connections come from.
        package enum Place: Hashable, Sendable {
            /// A port may be 0.
            case address(ProcessAddress)
            /// A socket that the service manager opens, by its name (`fd:NAME`).
            case inherited(name: String)

            /// Whether the two cannot be listened on beside each other: a port at all addresses is one at
            /// each of them, and `[::]` takes IPv4 too.
            func overlaps(_ other: Place) -> Bool {
                guard case .address(.tcp(let host, let port)) = self,
                    case .address(.tcp(let otherHost, let otherPort)) = other
                else { return self == other }
                return port == otherPort && port != 0
                    && (host == otherHost || Self.covers(host, otherHost)
                        || Self.covers(otherHost, host))
            }

            private static func covers(_ wildcard: String, _ host: String) -> Bool {
                wildcard == "::" || wildcard == "0.0.0.0" && !host.contains(":")
            }
        }

        /// One `[[listen.tls]]`: absolute paths of PEM files.
        package struct Certificate: Equatable, Sendable {
            package var certificate: String
            package var key: String
            package var certificatePlace = SourcePlace()
            package var keyPlace = SourcePlace()
        }

        package var place: Place
        package var addressPlace = SourcePlace()
        /// HTTP/2 is offered: by ALPN on TLS, by prior knowledge on clear text.
        package var http2 = true
        /// Every peer has to begin with a PROXY header.
        package var proxyProtocol = false
        /// Addresses and networks, or `unix`, whose `X-Forwarded-*` and `Forwarded` are believed.
        package var trustedProxies: [String] = []
        /// Chosen by the name that the client asks for, the first when none fits; none: clear text.
        package var certificates: [Certificate] = []
        /// A PEM file of authorities, absolute: a client needs a certificate of one of them.
        package var clientAuthority: String?
        package var clientAuthorityPlace = SourcePlace()
        /// Requests of clients that are not on https are sent there.
        package var redirectsToHTTPS = false
        /// Added to responses; of an empty value: taken out of them.
        package var headers: [Field] = []
        /// A request that comes without `X-Request-Id` is given one.
        package var requestID = true
        /// A request that comes without `traceparent` begins a trace.
        package var traceparent = true

        package init(_ place: Place) { self.place = place }

        /// As the file writes it.
        package var text: String {
            switch place {
            case .address(let address): AddressText.text(of: address)
            case .inherited(let name): "fd:\(name)"
            }
        }
    }
}
