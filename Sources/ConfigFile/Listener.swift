package import Settings

extension Configuration {
    /// A response field that the configuration adds.
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
        /// Offer HTTP/2: by ALPN on TLS, by prior knowledge on clear text.
        package var http2 = true
        /// Every connection must begin with a PROXY header.
        package var proxyProtocol = false
        /// Addresses and networks, or `unix`, whose `X-Forwarded-*` and `Forwarded` fields are
        /// trusted.
        package var trustedProxies: [String] = []
        /// Selected by SNI, the first if none matches; empty: clear text.
        package var certificates: [Certificate] = []
        /// A PEM file of authorities, absolute: clients must present a certificate issued by one of
        /// them.
        package var clientAuthority: String?
        package var clientAuthorityLocation = FileLocation()
        /// Redirects requests to https.
        package var redirectsToHTTPS = false
        /// Set in every response; an empty value removes the field.
        package var headers: [Field] = []
        /// Adds `X-Request-Id` to requests without one.
        package var requestID = true
        /// Starts a trace for requests without `traceparent`.
        package var traceparent = true

        package init(_ address: ListenerAddress) { self.address = address }

        /// As written in the file.
        package var text: String { address.text }
    }
}
