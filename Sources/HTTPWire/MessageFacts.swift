/// What `Transfer-Encoding` and `Content-Length` of one message say together.
struct FramingFacts {
    private var lengths = 0
    private var length: UInt64 = 0
    private(set) var hasEncoding = false
    private(set) var hasLength = false

    /// What is wrong with the length, if anything: RFC 9112 section 6.3, RFC 9110 section 8.6.
    mutating func noteLength(_ bytes: Span<UInt8>, _ value: Range<Int>) -> StaticString? {
        hasLength = true
        lengths += 1
        if lengths > 1 { return "several lengths" }
        guard let number = Octets.decimal(bytes, value) else { return "bad length" }
        length = number
        return nil
    }

    enum Encoding {
        case fine, unknown, bad
    }

    /// Only `chunked`, once and nothing else, is understood (RFC 9112 sections 6.1 and 7).
    ///
    /// Codings without a `chunked`, or with one at their end, are unknown ones; where `chunked` comes
    /// twice or is not the last, the end of the body is in doubt (section 6.3).
    mutating func noteEncoding(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Encoding {
        let isFirst = !hasEncoding
        hasEncoding = true
        if isFirst, Octets.spells(bytes, value, "chunked") { return .fine }
        var elements = ListElements(value)
        var isChunked = !isFirst
        var verdict = Encoding.bad
        while let element = elements.next(bytes) {
            if isChunked { return .bad }
            if Octets.spells(bytes, element, "chunked") {
                isChunked = true
            } else {
                verdict = .unknown
            }
        }
        return verdict
    }

    var framing: BodyFraming? {
        if hasEncoding { return .chunked }
        return hasLength ? .length(length) : nil
    }
}

/// What a request's fields say, gathered line by line.
struct RequestFacts {
    private(set) var hosts = 0
    private(set) var host = 0..<0
    private(set) var closes = false
    private(set) var expectsContinue = false
    private(set) var cameThroughProxy = false
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
        case .connection:
            var elements = ListElements(value)
            while let element = elements.next(bytes) {
                if Octets.spells(bytes, element, "close") { closes = true }
            }
            return nil
        case .expect:
            guard Octets.spells(bytes, value, "100-continue") else {
                return HTTPProblem(status: 417, reason: "expectation not supported")
            }
            expectsContinue = true
            return nil
        case .via, .forwarded, .xForwardedFor:
            cameThroughProxy = true
            return nil
        case .other, .altSvc, .cacheControl, .cookie, .date, .keepAlive, .mooringAffinity,
            .mooringPin, .mooringSession, .proxy, .proxyAuthenticate, .proxyAuthorization,
            .proxyConnection, .setCookie, .te, .trailer, .upgrade, .xForwardedHost,
            .xForwardedProto, .imitation, .underscored:
            return nil
        }
    }

    /// Where the body ends; both kinds of framing at once is the root of request smuggling and refused
    /// (RFC 9112 sections 6.1 and 6.3).
    func framing(isHTTP11: Bool) -> Framing {
        if body.hasEncoding, body.hasLength { return .problem(.bad("length and transfer coding")) }
        if body.hasEncoding, !isHTTP11 { return .problem(.bad("transfer coding in HTTP/1.0")) }
        return .framing(body.framing ?? .none)
    }
}
