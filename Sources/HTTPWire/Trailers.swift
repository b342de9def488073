/// Trailer fields of a chunked body (RFC 9110 section 6.5, RFC 9112 section 7.1.2).
enum Trailers {
    /// The most bytes of a trailer section, including line ends.
    static let limit = 4096

    /// Names that must not be trailers, in addition to those of `FieldName`.
    ///
    /// RFC 9110 section 6.5.1: fields for framing, routing, conditions, authentication or content
    /// handling. A recipient that merged such a field into the head would act on it unchecked.
    private static func isForbidden(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        func resembles(_ literal: StaticString) -> Bool {
            guard name.count == literal.utf8CodeUnitCount else { return false }
            for offset in 0..<name.count {
                let lowered = Octets.lowered(bytes[name.lowerBound &+ offset])
                if Octets.hyphenated(lowered) != literal.octet(offset) { return false }
            }
            return true
        }
        switch name.count {
        case 3: return resembles("age")
        case 4: return resembles("vary")
        case 5: return resembles("range")
        case 6: return resembles("pragma") || resembles("cookie") || resembles("expect")
        case 7: return resembles("expires") || resembles("warning")
        case 8: return resembles("if-match") || resembles("if-range") || resembles("location")
        case 10: return resembles("early-data") || resembles("set-cookie")
        case 11: return resembles("retry-after")
        case 12: return resembles("content-type")
        case 13:
            return resembles("authorization") || resembles("content-range")
                || resembles("if-none-match") || resembles("cache-control")
        case 16: return resembles("content-encoding") || resembles("www-authenticate")
        case 17: return resembles("if-modified-since")
        case 19: return resembles("if-unmodified-since")
        default: return false
        }
    }

    /// Appends the field lines of a section that may be forwarded, each with its CRLF.
    ///
    /// - Parameters:
    ///   - section: as the decoder received it: checked lines, and the empty one.
    ///   - sink: receives the lines.
    static func write(_ section: Span<UInt8>, into sink: inout ByteSink) {
        var start = 0
        while let feed = HeadLines.lineFeed(section, from: start) {
            let line = start..<feed &+ 1
            if mayPass(section, line) { sink.append(section.extracting(line)) }
            start = line.upperBound
        }
    }

    private static func mayPass(_ section: Span<UInt8>, _ line: Range<Int>) -> Bool {
        var colon = line.lowerBound
        var hasUnderscore = false
        while colon < line.upperBound, Octets.isToken(section[colon]) {
            if section[colon] == 0x5f { hasUnderscore = true }
            colon &+= 1
        }
        let name = line.lowerBound..<colon
        guard !name.isEmpty, colon < line.upperBound, section[colon] == 0x3a else { return false }
        switch FieldName.of(section, name, hasUnderscore: hasUnderscore) {
        case .other, .underscored: return !isForbidden(section, name)
        case .altSvc, .authorization, .cacheControl, .connection, .contentLength, .cookie, .date,
            .expect,
            .forwarded, .host, .keepAlive, .maxForwards, .mooringAffinity, .mooringPin,
            .mooringSession, .mooringWord, .proxy, .proxyAuthenticate, .proxyAuthorization,
            .proxyConnection,
            .secWebSocketVersion, .setCookie, .te, .trailer, .transferEncoding, .upgrade, .via,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim,
            .targetedCaching, .identifier,
            .imitation:
            return false
        }
    }
}
