/// Facts from a request's fields, collected line by line.
struct RequestFacts {
    private(set) var hosts = 0
    private(set) var host = 0..<0
    private(set) var expectsContinue = false
    private(set) var signsInConnection = false
    /// `TE: trailers` (RFC 9110 section 10.1.4).
    private(set) var takesTrailers = false
    private(set) var identifiers = RequestIdentifiers()
    private var body = FramingFacts()

    enum Framing {
        case framing(BodyFraming)
        case problem(HTTPProblem)
    }

    mutating func note(_ bytes: Span<UInt8>, _ field: FieldLine) -> HTTPProblem? {
        let value = field.value.range
        switch field.known {
        case .host:
            hosts += 1
            host = value
            if hosts > 1 { return .bad("several hosts") }
            return RequestTarget.isAuthority(bytes, value) ? nil : .bad("bad host")
        case .contentLength:
            return body.noteLength(bytes, value).map { HTTPProblem.bad($0) }
        case .transferEncoding:
            switch body.noteEncoding(bytes, value) {
            case .fine: return nil
            case .bad: return .bad("bad transfer coding")
            case .unknown:
                return HTTPProblem(status: 501, reason: "transfer coding not supported")
            }
        case .expect:
            guard Octets.spells(bytes, value, "100-continue") else {
                return HTTPProblem(status: 417, reason: "expectation not supported")
            }
            expectsContinue = true
        case .authorization:
            if ConnectionAuthentication.isSchemeOf(bytes, value) { signsInConnection = true }
        case .te:
            var elements = ListElements(value)
            while let element = elements.next(bytes) {
                if Octets.spells(bytes, element, "trailers") { takesTrailers = true }
            }
        case .identifier: identifiers.note(bytes, field)
        case .other, .altSvc, .cacheControl, .connection, .cookie, .date, .keepAlive,
            .maxForwards, .mooringAffinity, .mooringPin, .mooringSession, .mooringWord, .proxy,
            .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .secWebSocketVersion,
            .setCookie, .trailer, .upgrade, .xForwardedHost, .xForwardedProto, .xForwardedOther,
            .schemeClaim, .via, .forwarded, .xForwardedFor,
            .imitation, .targetedCaching, .underscored:
            break
        }
        return nil
    }

    /// Where the body ends; both kinds of framing at once enable request smuggling and are refused
    /// (RFC 9112 sections 6.1 and 6.3).
    func framing(isHTTP11: Bool) -> Framing {
        if body.hasEncoding, body.hasLength { return .problem(.bad("length and transfer coding")) }
        if body.hasEncoding, !isHTTP11 { return .problem(.bad("transfer coding in HTTP/1.0")) }
        return .framing(body.framing ?? .none)
    }
}

/// How many more proxies may forward an OPTIONS (RFC 9110 section 7.6.2).
enum ForwardingLimit {
    /// Nil: any number.
    case hops(UInt64?)
    case bad

    static func of(_ fields: borrowing FieldTable, in bytes: Span<UInt8>) -> ForwardingLimit {
        var hops: UInt64?
        for index in 0..<fields.count where fields[index].known == .maxForwards {
            guard hops == nil, let number = Octets.decimal(bytes, fields[index].value.range) else {
                return .bad
            }
            hops = number
        }
        return .hops(hops)
    }
}

/// The protocol that a request wants to upgrade to (RFC 9110 section 7.8).
struct UpgradeFacts {
    /// The list as received; empty: none that could be forwarded.
    private(set) var protocols = 0..<0
    /// The list is `websocket` alone.
    private var isWebSocketAlone = false
    private var isRefused = false
    private var versions = 0
    private var isVersion13 = false

    init(_ fields: borrowing FieldTable, in bytes: Span<UInt8>) {
        for index in 0..<fields.count {
            let value = fields[index].value.range
            if fields[index].known == .upgrade { noteProtocols(bytes, value) }
            if fields[index].known == .secWebSocketVersion { noteVersion(bytes, value) }
        }
    }

    private mutating func noteProtocols(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        // Two lines, or hop-by-hop protocols: the request is served without the upgrade, which the
        // section permits. A process must not be made to switch to HTTP/2 or TLS behind the proxy's
        // back.
        if !protocols.isEmpty || value.count > 128 { isRefused = true }
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            if !Self.isProtocol(bytes, element) || Self.isConnections(bytes, element) {
                isRefused = true
            }
        }
        protocols = isRefused ? 0..<0 : value
        isWebSocketAlone = Octets.spells(bytes, value, "websocket")
    }

    private mutating func noteVersion(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        versions += 1
        isVersion13 = Octets.spells(bytes, value, "13")
    }

    /// RFC 6455 section 4.1.
    func isWebSocket(_ method: RequestMethod) -> Bool {
        !isRefused && isWebSocketAlone && method == .get && versions == 1 && isVersion13
    }

    /// `protocol-name ["/" protocol-version]`, both tokens.
    static func isProtocol(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var slashes = 0
        var wasToken = false
        for index in range {
            if bytes[index] == 0x2f {
                guard wasToken, slashes == 0 else { return false }
                slashes = 1
                wasToken = false
            } else {
                guard Octets.isToken(bytes[index]) else { return false }
                wasToken = true
            }
        }
        return wasToken
    }

    /// `h2c`, and `TLS/1.0` of RFC 2817.
    private static func isConnections(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let name = range.lowerBound..<min(range.upperBound, range.lowerBound + 4)
        return Octets.spells(bytes, range, "h2c") || Octets.spells(bytes, range, "h2")
            || Octets.spells(bytes, name, "tls/") || Octets.spells(bytes, range, "tls")
            || Octets.spells(bytes, name, "http")
    }
}
