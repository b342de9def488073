extension HTTP2RequestTranslator {
    /// Writes the head of the HTTP/1.1 request that the block represents.
    ///
    /// - Parameters:
    ///   - endsStream: whether the head is the whole request.
    ///   - head: receives the head; on an overflow, without its end and longer than the reader's
    ///     limit.
    /// - Returns: the kind of block; unless it is a request, nothing was written.
    func write(endsStream: Bool, into head: inout [UInt8]) -> Outcome {
        // Everything after the request line was dropped, so it cannot be judged.
        if overflowed, !method.isEmpty, path.first == 0x2f, method.count + path.count >= headLimit {
            return writeLongLine(into: &head)
        }
        guard !method.isEmpty, let host = agreedHost else { return .malformed }
        let isConnect = Self.spells(method, "CONNECT")
        if isConnect, upgrade.isEmpty { return writeConnect(host, into: &head) }
        guard isConnect || upgrade.isEmpty, isSchemeKnown, isPathValid,
            !endsStream || isConnect || length ?? 0 == 0
        else { return .malformed }
        if isConnect {
            guard Self.spells(upgrade, "websocket") else { return .unknownProtocol }
            Self.append("GET", to: &head)
        } else {
            head.append(contentsOf: method)
        }
        Self.append(" ", to: &head)
        head.append(contentsOf: path)
        Self.append(" HTTP/1.1\r\nhost: ", to: &head)
        head.append(contentsOf: host)
        Self.append("\r\n", to: &head)
        head.append(contentsOf: lines)
        if !cookies.isEmpty {
            Self.append("cookie: ", to: &head)
            head.append(contentsOf: cookies)
            Self.append("\r\n", to: &head)
        }
        if overflowed { return .request(.ignored, isHead: false) }
        if isConnect {
            writeUpgrade(into: &head)
            return .request(.tunnel, isHead: false)
        }
        if hasTE { Self.append("te: trailers\r\nconnection: te\r\n", to: &head) }
        let body = writeFraming(endsStream: endsStream, into: &head)
        return .request(body, isHead: Self.spells(method, "HEAD"))
    }

    /// A line without an end is what is too long: 414.
    private func writeLongLine(into head: inout [UInt8]) -> Outcome {
        head.append(contentsOf: method)
        Self.append(" ", to: &head)
        head.append(contentsOf: path)
        return .request(.ignored, isHead: false)
    }

    /// `:authority`, or `host` where that is missing; nil: neither, or they differ (RFC 9113
    /// section 8.3.1).
    private var agreedHost: [UInt8]? {
        if !hasAuthority { return hasHost ? host : nil }
        guard hasHost else { return authority }
        guard host.count == authority.count else { return nil }
        for index in 0..<host.count
        where Octets.lowered(host[index]) != Octets.lowered(authority[index]) {
            return nil
        }
        return authority
    }

    private var isSchemeKnown: Bool {
        let scheme = self.scheme.span
        return Octets.spells(scheme, 0..<scheme.count, "http")
            || Octets.spells(scheme, 0..<scheme.count, "https")
    }

    /// A path that begins with `/`, or `*` of OPTIONS.
    private var isPathValid: Bool {
        guard let first = path.first else { return false }
        if first == 0x2f { return true }
        return first == 0x2a && path.count == 1 && Self.spells(method, "OPTIONS")
    }

    /// Plain CONNECT is passed on, to be refused with 405 as in HTTP/1.1.
    private func writeConnect(_ host: [UInt8], into head: inout [UInt8]) -> Outcome {
        guard scheme.isEmpty, path.isEmpty, hasAuthority, !host.isEmpty else { return .malformed }
        Self.append("CONNECT ", to: &head)
        head.append(contentsOf: host)
        Self.append(" HTTP/1.1\r\nhost: ", to: &head)
        head.append(contentsOf: host)
        Self.append("\r\n\r\n", to: &head)
        return .request(.ignored, isHead: false)
    }

    /// Reverses RFC 8441 section 5.
    ///
    /// The key is arbitrary, since the response to it is dropped here.
    private func writeUpgrade(into head: inout [UInt8]) {
        Self.append("upgrade: websocket\r\n", to: &head)
        if hasTE { Self.append("te: trailers\r\n", to: &head) }
        Self.append(hasTE ? "connection: upgrade, te\r\n" : "connection: upgrade\r\n", to: &head)
        Self.append("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", to: &head)
        if !hasWebSocketVersion { Self.append("sec-websocket-version: 13\r\n", to: &head) }
        Self.append("\r\n", to: &head)
    }

    private func writeFraming(endsStream: Bool, into head: inout [UInt8]) -> Body {
        if endsStream {
            // RFC 9110 section 8.6: a method that expects a body states that there is none.
            let statesLength =
                length != nil || Self.spells(method, "POST") || Self.spells(method, "PUT")
                || Self.spells(method, "PATCH")
            Self.append(statesLength ? "content-length: 0\r\n\r\n" : "\r\n", to: &head)
            return .none
        }
        // Announced trailers need a chunked body.
        guard let length, !hasTrailer else {
            Self.append("transfer-encoding: chunked\r\n\r\n", to: &head)
            return .chunked
        }
        Self.append("content-length: ", to: &head)
        head.append(contentsOf: String(length).utf8)
        Self.append("\r\n\r\n", to: &head)
        return .length(length)
    }

    private static func spells(_ bytes: [UInt8], _ literal: StaticString) -> Bool {
        guard bytes.count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where bytes[index] != literal.octet(index) { return false }
        return true
    }

    /// Writes one trailer field line, unless the field must not be a trailer (RFC 9110 section
    /// 6.5.1); false: malformed.
    static func addTrailer(
        name: Span<UInt8>, value: Span<UInt8>, to trailers: inout [UInt8]
    ) -> Bool {
        guard isName(name), isValue(value) else { return false }
        switch FieldName.of(name, 0..<name.count, hasUnderscore: hasUnderscore(name)) {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            return false
        case .other, .underscored:
            append(name, to: &trailers)
            append(": ", to: &trailers)
            append(value, to: &trailers)
            append("\r\n", to: &trailers)
            return true
        case .altSvc, .authorization, .cacheControl, .contentLength, .cookie, .date, .expect,
            .forwarded, .host,
            .maxForwards, .mooringAffinity, .mooringPin, .mooringSession, .mooringWord, .proxy,
            .proxyAuthenticate,
            .proxyAuthorization, .secWebSocketVersion, .setCookie, .te, .trailer, .via,
            .xForwardedFor,
            .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim, .targetedCaching,
            .identifier, .imitation:
            return true
        }
    }
}
