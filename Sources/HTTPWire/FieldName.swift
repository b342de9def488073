/// The field names that matter to a proxy; all others are forwarded unread.
package enum FieldName: UInt8, Sendable {
    case other
    case altSvc, authorization, cacheControl, connection, contentLength, cookie, date, expect,
        forwarded, host
    case keepAlive, maxForwards, mooringAffinity, mooringPin, mooringSession, proxy
    case proxyAuthenticate, proxyAuthorization, proxyConnection, secWebSocketVersion, setCookie, te
    case trailer, transferEncoding, upgrade, via, xForwardedFor, xForwardedHost, xForwardedProto
    /// `Mooring-Target` and `Mooring-Octets`: see `RequestHead.writeInASCII`; `Mooring-Break`: see
    /// `ResponseHead.breakMark`.
    case mooringWord
    /// Any other `X-Forwarded-…`, and `X-Real-IP`: valid from a trusted proxy, spoofed from others.
    case xForwardedOther
    /// Another proxy's field for the client's scheme, such as `X-Forwarded-Ssl`: removed, since it
    /// could contradict `X-Forwarded-Proto`.
    case schemeClaim
    /// `X-Request-Id`, `traceparent` or `tracestate`, which identify a request.
    case identifier
    /// Addresses specific caches, for which it overrides `Cache-Control` (RFC 9213).
    case targetedCaching
    /// One of the names that Mooring vouches for, or that frame a message or end at a connection, spelt with `_`: CGI-like servers would take it
    /// for the real one.
    case imitation
    /// Any other name with `_` in it.
    case underscored

    /// The name in a range of token octets, in any case.
    static func of(_ bytes: Span<UInt8>, _ range: Range<Int>, hasUnderscore: Bool) -> FieldName {
        if hasUnderscore { return isImitation(bytes, range) ? .imitation : .underscored }
        func spells(_ literal: StaticString) -> Bool { Octets.spells(bytes, range, literal) }
        switch range.count {
        case 2: return spells("te") ? .te : .other
        case 3: return spells("via") ? .via : .other
        case 4: return spells("host") ? .host : spells("date") ? .date : .other
        case 5: return spells("proxy") ? .proxy : .other
        case 6: return spells("cookie") ? .cookie : spells("expect") ? .expect : .other
        case 7:
            return spells("upgrade")
                ? .upgrade : spells("trailer") ? .trailer : spells("alt-svc") ? .altSvc : .other
        case 8: return spells("x-scheme") ? .schemeClaim : .other
        case 9:
            return spells("forwarded")
                ? .forwarded
                : spells("x-real-ip")
                    ? .xForwardedOther : spells("x-arr-ssl") ? .schemeClaim : .other
        case 10:
            return spells("connection")
                ? .connection
                : spells("set-cookie")
                    ? .setCookie
                    : spells("keep-alive")
                        ? .keepAlive : spells("tracestate") ? .identifier : .other
        case 11:
            return spells("mooring-pin")
                ? .mooringPin : spells("traceparent") ? .identifier : .other
        case 12:
            return spells("max-forwards")
                ? .maxForwards
                : spells("x-url-scheme")
                    ? .schemeClaim
                    : spells("edge-control")
                        ? .targetedCaching : spells("x-request-id") ? .identifier : .other
        case 13:
            return spells("cache-control")
                ? .cacheControl
                : spells("authorization")
                    ? .authorization : spells("mooring-break") ? .mooringWord : .other
        case 14:
            return spells("content-length")
                ? .contentLength
                : spells("mooring-target") || spells("mooring-octets") ? .mooringWord : .other
        case 15:
            return spells("x-forwarded-for")
                ? .xForwardedFor
                : spells("mooring-session")
                    ? .mooringSession
                    : spells("front-end-https")
                        ? .schemeClaim
                        : spells("x-accel-expires") ? .targetedCaching : other(bytes, range)
        case 16:
            return spells("x-forwarded-host")
                ? .xForwardedHost
                : spells("mooring-affinity")
                    ? .mooringAffinity
                    : spells("proxy-connection")
                        ? .proxyConnection
                        : spells("x-original-proto") ? .schemeClaim : other(bytes, range)
        case 17:
            return spells("transfer-encoding")
                ? .transferEncoding
                : spells("x-forwarded-proto")
                    ? .xForwardedProto
                    : spells("surrogate-control") ? .targetedCaching : other(bytes, range)
        case 18: return spells("proxy-authenticate") ? .proxyAuthenticate : other(bytes, range)
        case 19: return spells("proxy-authorization") ? .proxyAuthorization : other(bytes, range)
        case 21: return spells("sec-websocket-version") ? .secWebSocketVersion : other(bytes, range)
        case 26: return spells("cloudfront-forwarded-proto") ? .schemeClaim : other(bytes, range)
        default: return other(bytes, range)
        }
    }

    private static func other(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName {
        let forwarded: StaticString = "x-forwarded-"
        let cacheControl: StaticString = "-cache-control"
        let start = range.lowerBound
        let rest = start &+ forwarded.utf8CodeUnitCount
        if range.upperBound > rest, Octets.spells(bytes, start..<rest, forwarded) {
            return forwarding(bytes, rest..<range.upperBound)
        }
        let suffix = range.upperBound &- cacheControl.utf8CodeUnitCount
        let isTargeted =
            suffix > start && Octets.spells(bytes, suffix..<range.upperBound, cacheControl)
        return isTargeted ? .targetedCaching : .other
    }

    /// Classifies by the part after `X-Forwarded-`.
    private static func forwarding(_ bytes: Span<UInt8>, _ rest: Range<Int>) -> FieldName {
        func spells(_ literal: StaticString) -> Bool { Octets.spells(bytes, rest, literal) }
        let isScheme =
            spells("ssl") || spells("scheme") || spells("protocol") || spells("https")
        return isScheme ? .schemeClaim : .xForwardedOther
    }

    private static func isImitation(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        func begins(_ literal: StaticString) -> Bool {
            guard range.count >= literal.utf8CodeUnitCount else { return false }
            for offset in 0..<literal.utf8CodeUnitCount {
                let lowered = Octets.lowered(bytes[range.lowerBound &+ offset])
                if Octets.hyphenated(lowered) != literal.octet(offset) { return false }
            }
            return true
        }
        func resembles(_ literal: StaticString) -> Bool {
            range.count == literal.utf8CodeUnitCount && begins(literal)
        }
        return begins("x-forwarded-") || resembles("x-real-ip") || resembles("mooring-session")
            || resembles("mooring-affinity") || resembles("mooring-pin")
            || resembles("mooring-target") || resembles("mooring-octets")
            || resembles("mooring-break")
            || resembles("front-end-https") || resembles("x-url-scheme") || resembles("x-scheme")
            || resembles("x-original-proto") || resembles("x-arr-ssl") || resembles("x-request-id")
            || resembles("cloudfront-forwarded-proto")
            || begins("server-") || resembles("script-name") || resembles("path-info")
            || resembles("path-translated") || resembles("query-string")
            || resembles("request-method") || resembles("request-uri") || resembles("remote-user")
            || resembles("remote-addr") || resembles("remote-host") || resembles("remote-ident")
            || resembles("auth-type") || resembles("gateway-interface") || resembles("content-type")
            || resembles("content-length") || resembles("transfer-encoding")
            || resembles("keep-alive") || resembles("proxy-connection")
            || resembles("max-forwards") || resembles("proxy-authorization")
            || resembles("proxy-authenticate") || resembles("http2-settings")
    }

    /// Whether a peer may name this field in `Connection` to have it removed: not if framing,
    /// routing or the process's knowledge of the client depend on it (CVE-2022-31813).
    var mayBeNominated: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .cookie, .setCookie, .forwarded, .via, .date,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedOther, .mooringAffinity,
            .mooringPin, .mooringSession, .mooringWord, .cacheControl, .maxForwards:
            false
        case .other, .altSvc, .authorization, .connection, .expect, .keepAlive, .proxy,
            .proxyAuthenticate,
            .proxyAuthorization, .proxyConnection, .schemeClaim, .secWebSocketVersion, .te,
            .trailer,
            .upgrade, .targetedCaching, .identifier, .imitation, .underscored:
            true
        }
    }
}
