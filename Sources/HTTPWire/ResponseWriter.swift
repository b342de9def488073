extension ResponseHead {
    /// Writes the head for the client, including its empty line.
    ///
    /// - Parameters:
    ///   - bytes: the parsed bytes.
    ///   - framing: the framing of the body.
    ///   - closes: whether the connection closes after this response.
    ///   - keepsAlive: whether to state that it stays open, as HTTP/1.0 clients need.
    ///   - date: for a response without `Date` (RFC 9110 section 6.6.1).
    ///   - setCookie: a complete line that gives the client its session, or empty; with it, shared caches are excluded,
    ///     and fields that would allow them are removed.
    ///   - trailers: whether trailers will be forwarded, so that `Trailer` is.
    ///   - extra: fields of the configuration; nil: none.
    ///   - sink: receives the head.
    package func write(
        from bytes: Span<UInt8>, framing: ResponseFraming, closes: Bool,
        keepsAlive: Bool = false, date: Span<UInt8>,
        setCookie: Span<UInt8>, trailers: Bool = false, extra: ExtraFields? = nil,
        into sink: inout ByteSink
    ) {
        writeStatus(bytes, into: &sink)
        writeFields(bytes, makesPrivate: !setCookie.isEmpty, into: &sink)
        if hasOctets { writeOctets(bytes, into: &sink) }
        if !setCookie.isEmpty, extra?.confinesCaches != true {
            writeCacheControl(bytes, into: &sink)
        }
        if !hasDate {
            sink.append("Date: ")
            sink.append(date)
            sink.append("\r\n")
        }
        sink.append(setCookie)
        if let extra { extra.write(into: &sink) }
        // RFC 9110 section 7.6.3: the version that the process responded with.
        sink.append(isHTTP11 ? "Via: 1.1 mooring\r\n" : "Via: 1.0 mooring\r\n")
        if !upgrade.isEmpty {
            sink.append("Connection: Upgrade\r\nUpgrade: ")
            sink.append(bytes.extracting(upgrade.range))
            sink.append("\r\n")
        }
        switch framing {
        case .none, .length:
            // A response to HEAD and a 304 may state a length; 101 and 204 must not (RFC 9110
            // section 8.6).
            if let declaredLength, status != 204, status != 101 {
                sink.append("Content-Length: ")
                sink.append(decimal: declaredLength)
                sink.append("\r\n")
            }
        case .chunked:
            if trailers { writeAnnouncement(bytes, into: &sink) }
            sink.append("Transfer-Encoding: chunked\r\n")
        case .untilClose: break
        }
        if closes {
            sink.append("Connection: close\r\n")
        } else if keepsAlive {
            sink.append("Connection: keep-alive\r\n")
        }
        sink.append("\r\n")
    }

    /// Writes a 1xx head including its empty line (RFC 9110 section 15.2).
    ///
    /// Without `Set-Cookie`: Mooring could not check a cookie in it, and clients ignore it there.
    package func writeInformational(from bytes: Span<UInt8>, into sink: inout ByteSink) {
        writeStatus(bytes, into: &sink)
        for index in 0..<fields.count
        where !fields[index].removed && fields[index].known != .setCookie {
            writeLine(bytes, fields[index], into: &sink)
        }
        sink.append("\r\n")
    }

    /// Writes one line with a CRLF, whatever its original end.
    private func writeLine(_ bytes: Span<UInt8>, _ field: FieldLine, into sink: inout ByteSink) {
        if !fields.hasBareLineFeeds { return sink.append(bytes.extracting(field.line.range)) }
        let content = field.line.range.lowerBound..<field.value.range.upperBound
        sink.append(bytes.extracting(content))
        sink.append("\r\n")
    }

    /// Writes the status line; the space is required even without a reason (RFC 9112 section 4).
    ///
    /// Servers built with hyper, such as granian, send `<none>` as the reason of an unknown status.
    private func writeStatus(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        sink.append("HTTP/1.1 ")
        if statusLine.isEmpty {
            return sink.append(status == 302 ? "302 Found\r\n" : "200 OK\r\n")
        }
        if statusLine.count == 10, bytes[statusLine.range.lowerBound &+ 4] == 0x3c,
            Octets.spells(
                bytes, statusLine.range.lowerBound &+ 4..<statusLine.range.upperBound, "<none>")
        {
            sink.append(
                bytes.extracting(statusLine.range.lowerBound..<statusLine.range.lowerBound &+ 4))
            return sink.append("\r\n")
        }
        sink.append(bytes.extracting(statusLine.range))
        sink.append(statusLine.count == 3 ? " \r\n" : "\r\n")
    }

    private func writeAnnouncement(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        for index in 0..<fields.count where fields[index].known == .trailer {
            writeLine(bytes, fields[index], into: &sink)
        }
    }

    private func writeFields(
        _ bytes: Span<UInt8>, makesPrivate: Bool, into sink: inout ByteSink
    ) {
        var pending = 0..<0
        for index in 0..<fields.count where !fields[index].removed {
            let field = fields[index]
            if makesPrivate {
                if field.known == .cacheControl, cache.isShared { continue }
                // It would override `Cache-Control`.
                if field.known == .targetedCaching { continue }
            }
            if fields.hasBareLineFeeds {
                writeLine(bytes, field, into: &sink)
                continue
            }
            let line = field.line.range
            if pending.upperBound == line.lowerBound, !pending.isEmpty {
                pending = pending.lowerBound..<line.upperBound
            } else {
                sink.append(bytes.extracting(pending))
                pending = line
            }
        }
        sink.append(bytes.extracting(pending))
    }

    /// Revokes what the process allowed shared caches and keeps the rest of its directives.
    private func writeCacheControl(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        guard cache.isShared else { return }
        sink.append("Cache-Control: private")
        for index in 0..<fields.count where fields[index].known == .cacheControl {
            var elements = ListElements(fields[index].value.range)
            while let element = elements.next(bytes) {
                if CacheFacts.letsShare(bytes, element) { continue }
                sink.append(", ")
                sink.append(bytes.extracting(element))
            }
        }
        sink.append("\r\n")
    }
}

/// The directives of `Cache-Control` for shared caches (RFC 9111 section 5.2.2).
struct CacheFacts {
    private var isPrivate = false
    private var isUnstored = false
    private var mustBeUnderstood = false

    /// Whether a shared cache might store the response.
    ///
    /// A cache that understands the status ignores `no-store` beside `must-understand` (RFC 9111
    /// section 5.2.2.3).
    var isShared: Bool { !isPrivate && (!isUnstored || mustBeUnderstood) }

    mutating func note(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            if Octets.spells(bytes, element, "private") { isPrivate = true }
            if Octets.spells(bytes, element, "no-store") { isUnstored = true }
            if Octets.spells(bytes, element, "must-understand") { mustBeUnderstood = true }
        }
    }

    /// `public` and `s-maxage` only concern shared caches.
    static func letsShare(_ bytes: Span<UInt8>, _ element: Range<Int>) -> Bool {
        if Octets.spells(bytes, element, "public") { return true }
        let name = element.lowerBound..<min(element.upperBound, element.lowerBound &+ 9)
        return Octets.spells(bytes, name, "s-maxage=")
    }
}
