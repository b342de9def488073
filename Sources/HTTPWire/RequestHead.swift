/// The head of one request: facts, and offsets into the bytes that it was parsed from.
///
/// Reused for each request of a loop, so that parsing allocates nothing. It follows the strictest
/// interpretation that RFC 9112 permits: what two parsers could interpret differently is refused.
package struct RequestHead: ~Copyable {
    package private(set) var method = RequestMethod.other
    /// `METHOD TARGET VERSION`, without the CRLF.
    package private(set) var requestLine = ByteRange.empty
    private(set) var methodRange = ByteRange.empty
    /// Path and query as received; for an absolute target, those in it.
    package private(set) var path = ByteRange.empty
    /// An absolute target without a path means `/`, or `*` for OPTIONS without a query.
    package private(set) var pathIsImplied = false
    /// The authority, with its port: from an absolute target, else from `Host`; empty for HTTP/1.0
    /// without `Host`.
    package private(set) var host = ByteRange.empty
    package private(set) var isHTTP11 = false
    package private(set) var keepAlive = false
    package private(set) var body = BodyFraming.none
    /// The client waits for a 100 before it sends the body.
    package private(set) var expectContinue = false
    /// Authenticates the connection that it is sent on (`Authorization: NTLM` or `Negotiate`).
    package private(set) var signsInConnection = false
    /// The protocols that the client would switch to, as `Upgrade` lists them; empty: none, or none
    /// that may pass a proxy.
    package private(set) var upgrade = ByteRange.empty
    /// The upgrade is RFC 6455's opening handshake: GET, `websocket` alone, version 13.
    package private(set) var isWebSocket = false
    /// How many more proxies may forward an OPTIONS; nil: any number.
    ///
    /// At 0 Mooring answers it (`OptionsAnswer`; RFC 9110 section 7.6.2).
    package private(set) var maxForwards: UInt64?
    /// The client accepts trailers after a chunked response (`TE: trailers`).
    package private(set) var acceptsTrailers = false
    /// Trailers may be forwarded: `Connection` names no field that could be among them.
    package private(set) var passesTrailers = false
    /// Bytes including the empty line.
    package private(set) var headLength = 0
    /// `Cookie` lines that are forwarded; several are joined.
    private(set) var cookieLines = 0
    /// The identifiers that the client gave the request.
    private(set) var identifiers = RequestIdentifiers()
    package internal(set) var fields = FieldTable()

    /// Bytes of empty lines allowed before a request line: eight lines.
    private static let forgiven = 16

    package init() {}

    /// Parses the head at the start of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: all bytes so far.
    ///   - resumeFrom: kept by the caller between calls with growing bytes, 0 at first, so that a
    ///     head that trickles in is not searched repeatedly.
    ///   - limit: the most bytes of head: 414 when the request line alone is longer, else 431.
    package mutating func parse(
        _ bytes: Span<UInt8>, resumeFrom: inout Int, limit: Int
    ) -> HeadParse {
        method = .other
        requestLine = .empty
        var start = 0
        // Empty lines before a request line are ignored (RFC 9112 section 2.2).
        while start < Self.forgiven, start &+ 1 < bytes.count, bytes[start] == 0x0d,
            bytes[start &+ 1] == 0x0a
        {
            start &+= 2
        }
        switch HeadLines.end(bytes, start: start, resumeFrom: &resumeFrom) {
        case .incomplete:
            if bytes.count > limit { return .rejected(tooLarge(bytes, start)) }
            return mayBeRequest(bytes, start) ? .incomplete : .rejected(.bad("bad method"))
        case .bareLineFeed:
            return .rejected(.bad("bare line feed"))
        case .found(let end):
            if end > limit { return .rejected(tooLarge(bytes, start, limit: limit)) }
            headLength = end
            if let problem = parse(bytes, from: start, to: end) { return .rejected(problem) }
            return .complete
        }
    }

    /// The text in place of a request line, for the log: up to the end of the first non-empty line.
    ///
    /// - Parameter bytes: what a client sent instead of a request.
    package static func firstLine(of bytes: Span<UInt8>) -> ByteRange {
        var start = 0
        while start < bytes.count, bytes[start] == 0x0d || bytes[start] == 0x0a { start &+= 1 }
        var end = start
        while end < bytes.count, bytes[end] != 0x0d, bytes[end] != 0x0a { end &+= 1 }
        return ByteRange(start..<end)
    }

    /// Bytes that cannot become a request, such as a TLS handshake, are recognised by the first
    /// byte.
    ///
    /// So the client gets an error without a wait. A CR may be the first half of an empty line.
    private func mayBeRequest(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        if start == bytes.count || Octets.isToken(bytes[start]) { return true }
        return bytes[start] == 0x0d && start < Self.forgiven && bytes.count == start &+ 1
    }

    private func tooLarge(_ bytes: Span<UInt8>, _ start: Int, limit: Int = .max) -> HTTPProblem {
        if let feed = HeadLines.lineFeed(bytes, from: start), feed < limit {
            return HTTPProblem(status: 431, reason: "head too large")
        }
        return HTTPProblem(status: 414, reason: "request line too long")
    }

    private mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) -> HTTPProblem? {
        host = .empty
        var next = end
        if let problem = parseRequestLine(bytes, start..<end, next: &next) {
            // The log shows what was refused.
            let feed = HeadLines.lineFeed(bytes, from: start) ?? end
            requestLine = ByteRange(start..<max(start, feed &- 1))
            return problem
        }
        requestLine = ByteRange(start..<next &- 2)
        if let problem = HeadLines.parseFields(bytes, from: next, to: end, into: &fields) {
            return problem
        }
        guard let options = ConnectionOptions.take(bytes, from: &fields) else {
            return .bad("too many connection options")
        }
        if let problem = readFields(bytes, options) { return problem }
        sanitise(bytes)
        return nil
    }

    /// Parses the request line; `next` is where the fields begin.
    private mutating func parseRequestLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, next: inout Int
    ) -> HTTPProblem? {
        var position = line.lowerBound
        while position < line.upperBound, Octets.isToken(bytes[position]) { position &+= 1 }
        let methodEnd = position
        guard methodEnd > line.lowerBound, methodEnd < line.upperBound, bytes[methodEnd] == 0x20
        else { return .bad("bad method") }
        position &+= 1
        let targetStart = position
        position = RequestTarget.end(bytes, from: targetStart, to: line.upperBound)
        let target = targetStart..<position
        guard !target.isEmpty, position < line.upperBound, bytes[position] == 0x20 else {
            return .bad("bad request target")
        }
        methodRange = ByteRange(line.lowerBound..<methodEnd)
        method = RequestMethod(bytes, line.lowerBound..<methodEnd)
        next = position &+ 11
        guard next <= line.upperBound, bytes[next &- 2] == 0x0d, bytes[next &- 1] == 0x0a else {
            return .bad("bad version")
        }
        if let problem = parseVersion(bytes, at: position &+ 1) { return problem }
        if method == .connect || method == .trace {
            return HTTPProblem(status: 405, reason: "method not allowed")
        }
        switch RequestTarget.parse(bytes, target, isOptions: method == .options) {
        case .origin(let range):
            path = ByteRange(range)
            pathIsImplied = false
        case .absolute(let authority, let range):
            host = ByteRange(authority)
            path = ByteRange(range)
            pathIsImplied = range.isEmpty || bytes[range.lowerBound] != 0x2f
        case .bad(let reason):
            return .bad(reason)
        }
        return nil
    }

    /// Parses the eight octets of a version, which exist.
    ///
    /// A later minor version is treated as the latest known one (RFC 9110 section 2.5).
    private mutating func parseVersion(_ bytes: Span<UInt8>, at start: Int) -> HTTPProblem? {
        if HeadLines.isHTTP1(bytes, at: start), Octets.isDigit(bytes[start &+ 7]) {
            isHTTP11 = bytes[start &+ 7] != 0x30
            return nil
        }
        let name: StaticString = "HTTP/"
        for offset in 0..<5 where bytes[start &+ offset] != name.octet(offset) {
            return .bad("bad version")
        }
        guard Octets.isDigit(bytes[start &+ 5]), bytes[start &+ 6] == 0x2e,
            Octets.isDigit(bytes[start &+ 7])
        else { return .bad("bad version") }
        return HTTPProblem(status: 505, reason: "version not supported")
    }
}

extension RequestHead {
    /// Reads the facts that framing, routing and the connection depend on.
    private mutating func readFields(
        _ bytes: Span<UInt8>, _ options: ConnectionOptions
    ) -> HTTPProblem? {
        var facts = RequestFacts()
        for index in 0..<fields.count where fields[index].known != .other {
            if let problem = facts.note(bytes, fields[index]) { return problem }
        }
        if facts.hosts == 0, isHTTP11 { return .bad("no host") }
        // An absolute target's authority replaces Host (RFC 9112 section 3.2.2).
        if host.isEmpty { host = ByteRange(facts.host) }
        signsInConnection = facts.signsInConnection
        identifiers = facts.identifiers
        // RFC 9112 section 9.3; an HTTP/1.0 client must request it (appendix C.2.2).
        keepAlive = !options.closes && (isHTTP11 || options.keepsAlive)
        switch facts.framing(isHTTP11: isHTTP11) {
        case .framing(let framing): body = framing
        case .problem(let problem): return problem
        }
        maxForwards = nil
        if method == .options {
            // For other methods the field has no meaning.
            switch ForwardingLimit.of(fields, in: bytes) {
            case .hops(let hops): maxForwards = hops
            case .bad: return .bad("bad max forwards")
            }
        }
        // RFC 9110 section 10.1.1: ignored from HTTP/1.0, and pointless without a body.
        let hasBody = body != .none && body != .length(0)
        expectContinue = facts.expectsContinue && isHTTP11 && hasBody
        acceptsTrailers = facts.takesTrailers && options.namesTE && isHTTP11
        passesTrailers = body == .chunked && !options.namesOthers
        upgrade = .empty
        isWebSocket = false
        if options.upgrades, isHTTP11, !hasBody { noteUpgrade(bytes) }
        return nil
    }

    /// Records an upgrade where RFC 9110 section 7.8 permits it.
    ///
    /// From HTTP/1.0 it is ignored. With a body it may be ignored, and is: the new protocol's bytes
    /// would have to wait for the end of the body.
    private mutating func noteUpgrade(_ bytes: Span<UInt8>) {
        let facts = UpgradeFacts(fields, in: bytes)
        upgrade = ByteRange(facts.protocols)
        isWebSocket = facts.isWebSocket(method)
    }

    /// Marks fields that only Mooring may set, or sets again.
    private mutating func sanitise(_ bytes: Span<UInt8>) {
        cookieLines = 0
        for index in 0..<fields.count where fields[index].known != .other {
            switch fields[index].known {
            case .host, .contentLength, .expect, .proxy, .forwarded, .xForwardedFor,
                .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim, .mooringSession,
                .mooringAffinity, .mooringPin, .mooringWord, .imitation:
                fields.remove(index)
            case .cookie: cookieLines &+= fields[index].removed ? 0 : 1
            case .maxForwards:
                if method == .options { fields.remove(index) }
            case .other, .altSvc, .authorization, .cacheControl, .connection, .date,
                .identifier, .keepAlive,
                .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .secWebSocketVersion,
                .targetedCaching, .setCookie, .te, .trailer, .transferEncoding, .upgrade, .via:
                break
            case .underscored:
                if fields.hasTwin(of: index, in: bytes) { fields.remove(index) }
            }
        }
    }
}
