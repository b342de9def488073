/// The head of a response as CGI programs write it (RFC 3875 section 6): fields, with the status among them.
extension ResponseHead {
    /// Parses the head at the front of `bytes`, as what the same over HTTP/1.1 would be.
    ///
    /// Where the body ends its process tells beside it. What a program says of its connection is not passed on:
    /// it has none.
    ///
    /// - Parameters: as of `parse`.
    package mutating func parseCGI(
        _ bytes: Span<UInt8>, resumeFrom: inout Int, limit: Int, requestMethod: RequestMethod
    ) -> HeadParse {
        switch HeadLines.end(bytes, start: 0, resumeFrom: &resumeFrom, allowsBareLineFeeds: true) {
        case .incomplete:
            return bytes.count > limit ? Self.refused("response head too large") : .incomplete
        case .bareLineFeed: return Self.refused("no response head")
        case .found(let end):
            if end > limit { return Self.refused("response head too large") }
            headLength = end
            if let reason = parseCGI(bytes, to: end, requestMethod) { return Self.refused(reason) }
            return .complete
        }
    }

    private static func refused(_ reason: StaticString) -> HeadParse {
        .rejected(HTTPProblem(status: 502, reason: reason))
    }

    private mutating func parseCGI(
        _ bytes: Span<UInt8>, to end: Int, _ requestMethod: RequestMethod
    ) -> StaticString? {
        if let problem = HeadLines.parseFields(
            bytes, from: 0, to: end, allowsBareLineFeeds: true, into: &fields)
        {
            return problem.reason
        }
        if let reason = takeStatus(bytes) { return reason }
        for index in 0..<fields.count where fields[index].known.isOfConnection {
            fields.disregard(index)
        }
        isHTTP11 = true
        if let reason = readFields(bytes, ConnectionOptions(), requestMethod) { return reason }
        keepAlive = true
        breakMark = 0
        passesTrailers = false
        return nil
    }

    /// Without a status it is 200, or 302 where there is a place to go to.
    private mutating func takeStatus(_ bytes: Span<UInt8>) -> StaticString? {
        var hasStatus = false
        var hasLocation = false
        for index in 0..<fields.count where fields[index].known == .other {
            let name = fields[index].name.range
            let value = fields[index].value.range
            if Octets.spells(bytes, name, "location") { hasLocation = !value.isEmpty }
            guard Octets.spells(bytes, name, "status") else { continue }
            guard !hasStatus, value.count >= 3,
                value.count == 3 || bytes[value.lowerBound &+ 3] == 0x20,
                let code = Octets.decimal(bytes, value.lowerBound..<value.lowerBound &+ 3),
                code >= 200
            else { return "bad status" }
            hasStatus = true
            status = UInt16(truncatingIfNeeded: code)
            statusLine = ByteRange(value)
            fields.disregard(index)
        }
        if hasStatus { return nil }
        status = hasLocation ? 302 : 200
        statusLine = .empty
        return nil
    }
}

extension FieldName {
    /// It is about the connection that a message comes over.
    fileprivate var isOfConnection: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization,
            .te, .trailer, .transferEncoding, .upgrade:
            true
        case .other, .altSvc, .authorization, .cacheControl, .contentLength, .cookie, .date,
            .expect, .forwarded, .host, .maxForwards, .mooringAffinity, .mooringPin,
            .mooringSession, .mooringWord, .proxy, .secWebSocketVersion, .setCookie, .via,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim,
            .identifier, .targetedCaching, .imitation, .underscored:
            false
        }
    }
}
