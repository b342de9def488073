/// A process's request in `Mooring-Pin`.
package enum PinDirective: Equatable, Sendable {
    case none
    case pin
    /// The session ends.
    case release
    /// Place the session again at its next request.
    case move
    /// A longer idle time for the session, in seconds.
    case hold(UInt32)
    /// None of these, to be ignored; the range of the value.
    case unknown(ByteRange)
}

/// The head of one response of a process: facts, and offsets into the bytes that it was parsed
/// from.
///
/// As strict as for clients, except for lines that end without CR: a compromised process must not
/// be able to split responses.
package struct ResponseHead: ~Copyable {
    package internal(set) var status: UInt16 = 0
    /// Status and reason as received; empty: none were (`parseCGI`).
    var statusLine = ByteRange.empty
    package internal(set) var keepAlive = false
    package private(set) var body = BodyFraming.none
    package private(set) var pinDirective = PinDirective.none
    package internal(set) var headLength = 0
    package internal(set) var fields = FieldTable()
    /// `Keep-Alive: timeout=`, for how many seconds the process keeps the connection; 0: not
    /// stated.
    package private(set) var keepsForSeconds: UInt32 = 0
    /// Trailers may be forwarded: `Connection` names no field that could be among them.
    package internal(set) var passesTrailers = false
    /// The protocol of a 101, or those that a 426 requires; empty for other responses.
    var upgrade = ByteRange.empty
    var isHTTP11 = false
    var hasDate = false
    var cache = CacheFacts()
    /// There is a `Set-Cookie` field.
    package private(set) var setsCookies = false
    /// The response has `Mooring-Octets` fields, which `writeOctets` decodes.
    var hasOctets = false
    /// The chunk of eight bytes, most significant first, that marks a body as cut off; 0: none.
    ///
    /// A server such as granian always completes the chunked framing, even if the application
    /// fails. The host script draws random bytes and announces them as 16 hexadecimal digits in
    /// `Mooring-Break`.
    package internal(set) var breakMark: UInt64 = 0
    /// `Content-Length` as received: for HEAD and 304 it is sent without a body.
    var declaredLength: UInt64?

    package init() {}

    /// 1xx except 101: another head follows.
    package var isInformational: Bool { status < 200 && status != 101 }

    /// The connection switches to another protocol after this head (RFC 9110 section 15.2.2).
    package var isSwitchingProtocols: Bool { status == 101 }

    /// Parses the head at the start of `bytes`; every problem is a 502 (RFC 9112 section 6.3).
    ///
    /// - Parameters:
    ///   - bytes: all bytes so far.
    ///   - resumeFrom: as for a request.
    ///   - limit: the most bytes of head.
    ///   - requestMethod: the request's: a response to HEAD has no body.
    ///   - offeredUpgrade: the request's `Upgrade` value, if it was forwarded: a 101 must select
    ///     from it, and is refused if nothing was offered.
    package mutating func parse(
        _ bytes: Span<UInt8>, resumeFrom: inout Int, limit: Int, requestMethod: RequestMethod,
        offeredUpgrade: Span<UInt8> = Span()
    ) -> HeadParse {
        switch HeadLines.end(bytes, start: 0, resumeFrom: &resumeFrom, allowsBareLineFeeds: true) {
        case .incomplete:
            if bytes.count > limit { return rejected("response head too large") }
            return looksLikeHTTP(bytes) ? .incomplete : rejected("not a response")
        case .bareLineFeed:
            return rejected("bare line feed")
        case .found(let end):
            if end > limit { return rejected("response head too large") }
            headLength = end
            if let reason = parse(bytes, to: end, requestMethod) { return rejected(reason) }
            if isSwitchingProtocols, !takesUp(offeredUpgrade, bytes) {
                return rejected("switching protocols")
            }
            return .complete
        }
    }

    private func rejected(_ reason: StaticString) -> HeadParse {
        .rejected(HTTPProblem(status: 502, reason: reason))
    }

    /// Recognises bytes that are not HTTP early, so that the client gets its error without a wait.
    private func looksLikeHTTP(_ bytes: Span<UInt8>) -> Bool {
        let start: StaticString = "HTTP/1."
        for index in 0..<min(bytes.count, start.utf8CodeUnitCount)
        where bytes[index] != start.octet(index) {
            return false
        }
        return true
    }

    private mutating func parse(
        _ bytes: Span<UInt8>, to end: Int, _ requestMethod: RequestMethod
    ) -> StaticString? {
        // The shortest status line has a status, no reason and its CRLF.
        guard end >= 14, HeadLines.isHTTP1(bytes, at: 0), Octets.isDigit(bytes[7]),
            bytes[8] == 0x20,
            let code = Octets.decimal(bytes, 9..<12), code >= 100,
            bytes[12] == 0x20 || bytes[12] == 0x0d || bytes[12] == 0x0a
        else { return "bad status line" }
        var lineEnd = 12
        while lineEnd < end &- 2, Octets.isFieldValue(bytes[lineEnd]) { lineEnd &+= 1 }
        let hasReturn = bytes[lineEnd] == 0x0d
        let feed = hasReturn ? lineEnd &+ 1 : lineEnd
        guard bytes[feed] == 0x0a else { return "bad status line" }
        // A later minor version is treated as the latest known one (RFC 9110 section 2.5).
        isHTTP11 = bytes[7] != 0x30
        status = UInt16(truncatingIfNeeded: code)
        statusLine = ByteRange(9..<lineEnd)
        if let problem = HeadLines.parseFields(
            bytes, from: feed &+ 1, to: end, allowsBareLineFeeds: true, into: &fields)
        {
            return problem.reason
        }
        guard let options = ConnectionOptions.take(bytes, from: &fields) else {
            return "too many connection options"
        }
        return readFields(bytes, options, requestMethod)
    }

    /// RFC 9110 section 7.8: exactly one protocol, from those offered.
    private func takesUp(_ offered: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        let taken = upgrade.range
        guard isHTTP11, UpgradeFacts.isProtocol(bytes, taken) else { return false }
        var elements = ListElements(0..<offered.count)
        while let element = elements.next(offered) {
            guard element.count == taken.count else { continue }
            var same = true
            for offset in 0..<taken.count
            where Octets.lowered(offered[element.lowerBound &+ offset])
                != Octets.lowered(bytes[taken.lowerBound &+ offset])
            {
                same = false
            }
            if same { return true }
        }
        return false
    }
}

extension ResponseHead {
    mutating func readFields(
        _ bytes: Span<UInt8>, _ options: ConnectionOptions, _ requestMethod: RequestMethod
    ) -> StaticString? {
        var framing = FramingFacts()
        hasDate = false
        upgrade = .empty
        cache = CacheFacts()
        pinDirective = .none
        setsCookies = false
        hasOctets = false
        breakMark = 0
        keepsForSeconds = 0
        for index in 0..<fields.count where fields[index].known != .other {
            let value = fields[index].value.range
            switch fields[index].known {
            case .contentLength:
                if let reason = framing.noteLength(bytes, value) { return reason }
                fields.remove(index)
            case .transferEncoding:
                guard framing.noteEncoding(bytes, value) == .fine else {
                    return "bad transfer coding"
                }
            case .upgrade:
                // One line only: two mean more than one protocol, which no 101 may name.
                let isKnown = options.upgrades && (status == 101 || status == 426)
                upgrade = isKnown && upgrade.isEmpty ? ByteRange(value) : .empty
            case .date: hasDate = true
            case .setCookie: setsCookies = true
            case .mooringWord:
                if Octets.spells(bytes, fields[index].name.range, "mooring-break") {
                    breakMark = Octets.hexadecimal(bytes, value) ?? 0
                } else {
                    hasOctets = true
                }
                fields.remove(index)
            case .keepAlive: noteKeepAlive(bytes, value)
            case .cacheControl: cache.note(bytes, value)
            case .mooringPin:
                pinDirective = PinDirective.parse(bytes, value)
                fields.remove(index)
            // An imitation of a framing field could be mistaken for it further on.
            case .altSvc, .mooringSession, .mooringAffinity, .imitation: fields.remove(index)
            case .other, .authorization, .connection, .cookie, .expect, .forwarded, .host,
                .maxForwards, .proxy, .proxyAuthenticate, .proxyAuthorization, .proxyConnection,
                .secWebSocketVersion, .te, .trailer, .via, .xForwardedFor,
                .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim,
                .targetedCaching, .identifier, .underscored:
                break
            }
        }
        if framing.hasEncoding, framing.hasLength { return "length and transfer coding" }
        if framing.hasEncoding, !isHTTP11 { return "transfer coding in HTTP/1.0" }
        body = bodyFraming(framing, requestMethod)
        declaredLength = nil
        if case .length(let length)? = framing.framing { declaredLength = length }
        keepAlive =
            !options.closes && (isHTTP11 || options.keepsAlive) && body != .untilClose
            && !mayBringStrayBody(framing)
        passesTrailers = body == .chunked && !options.namesOthers
        return nil
    }

    /// Whether the response announces a body that must not be sent, as for HEAD and 304.
    ///
    /// Some servers send it anyway, a moment later: on a kept connection it would be parsed as the
    /// next response.
    private func mayBringStrayBody(_ framing: FramingFacts) -> Bool {
        guard body == .none, let announced = framing.framing else { return false }
        return announced != .length(0)
    }

    /// `timeout=` of a `Keep-Alive` field; RFC 2068 section 19.7.1.1.
    private mutating func noteKeepAlive(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            let name: StaticString = "timeout="
            guard element.count > name.utf8CodeUnitCount else { continue }
            let number = element.lowerBound &+ name.utf8CodeUnitCount
            guard Octets.spells(bytes, element.lowerBound..<number, name),
                let seconds = Octets.decimal(bytes, number..<element.upperBound)
            else { continue }
            keepsForSeconds = UInt32(clamping: seconds)
        }
    }

    /// RFC 9112 section 6.3, points 1 to 8.
    private func bodyFraming(_ framing: FramingFacts, _ method: RequestMethod) -> BodyFraming {
        if method == .head || status < 200 || status == 204 || status == 304 { return .none }
        return framing.framing ?? .untilClose
    }

    /// Removes the fields that set one of Mooring's own cookies; returns their number.
    package mutating func remove(_ own: OwnCookies, in bytes: Span<UInt8>) -> Int {
        guard setsCookies else { return 0 }
        var count = 0
        for index in 0..<fields.count
        where fields[index].known == .setCookie && !fields[index].removed {
            guard own.areSet(by: fields[index].value.range, in: bytes) else { continue }
            fields.remove(index)
            count += 1
        }
        return count
    }
}

extension PinDirective {
    /// `pin`, `release`, `move` or `hold=30m` (units s, m, h).
    static func parse(_ bytes: Span<UInt8>, _ value: Range<Int>) -> PinDirective {
        if Octets.spells(bytes, value, "pin") { return .pin }
        if Octets.spells(bytes, value, "release") { return .release }
        if Octets.spells(bytes, value, "move") { return .move }
        guard value.count > 6,
            Octets.spells(bytes, value.lowerBound..<value.lowerBound + 5, "hold=")
        else { return .unknown(ByteRange(value)) }
        let number = value.lowerBound &+ 5..<value.upperBound &- 1
        guard number.count <= 6, let count = Octets.decimal(bytes, number) else {
            return .unknown(ByteRange(value))
        }
        switch bytes[value.upperBound &- 1] {
        case UInt8(ascii: "s"): return .hold(UInt32(clamping: count))
        case UInt8(ascii: "m"): return .hold(UInt32(clamping: count * 60))
        case UInt8(ascii: "h"): return .hold(UInt32(clamping: count * 3600))
        default: return .unknown(ByteRange(value))
        }
    }
}
