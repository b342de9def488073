package import Settings

extension Configuration {
    /// A response field of the configuration's own.
    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    /// One `[[listen]]`.
    package struct Listener: Equatable, Sendable {
        /// One `[[listen.tls]]`: absolute paths of PEM files.
        package struct Certificate: Equatable, Sendable {
            package var certificate: String
            package var key: String
            package var certificateLocation = FileLocation()
            package var keyLocation = FileLocation()
        }

        package var address: ListenerAddress
        package var addressLocation = FileLocation()
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
        package var clientAuthorityLocation = FileLocation()
        /// Requests of clients that are not on https are sent there.
        package var redirectsToHTTPS = false
        /// Added to responses; of an empty value: taken out of them.
        package var headers: [Field] = []
        /// A request that comes without `X-Request-Id` is given one.
        package var requestID = true
        /// A request that comes without `traceparent` begins a trace.
        package var traceparent = true

        package init(_ address: ListenerAddress) { self.address = address }

        /// As the file writes it.
        package var text: String { address.text }
    }
}
