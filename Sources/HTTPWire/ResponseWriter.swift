extension ResponseHead {
    /// Writes the head for the client, with its empty line.
    ///
    /// - Parameters:
    ///   - bytes: What was parsed.
    ///   - framing: How the body will be framed.
    ///   - closes: The connection ends after this response.
    ///   - keepsAlive: It does not, and the client is one of HTTP/1.0, which has to be told.
    ///   - date: For a response without `Date` (RFC 9110 section 6.6.1).
    ///   - setCookie: A ready `Set-Cookie` line, or empty; beside it shared caches are told to keep
    ///     off, and none is told otherwise.
    ///   - trailers: Trailers will be forwarded behind the body: their announcement is.
    ///   - extra: Fields of the configuration's; nil: there are none.
    ///   - sink: Takes the head.
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
        // RFC 9110 section 7.6.3: with the version that the process answered in.
        sink.append(isHTTP11 ? "Via: 1.1 mooring\r\n" : "Via: 1.0 mooring\r\n")
        if !upgrade.isEmpty {
            sink.append("Connection: Upgrade\r\nUpgrade: ")
            sink.append(bytes.extracting(upgrade.range))
            sink.append("\r\n")
        }
        switch framing {
        case .none, .length:
            // A response to HEAD and a 304 may tell a length; 101 and 204 must not (RFC 9110
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

    /// Writes a 1xx head with its empty line (RFC 9110 section 15.2).
    ///
    /// Without `Set-Cookie`: a cookie of ours in it would have no verdict, and clients ignore it
    /// there.
    package func writeInformational(from bytes: Span<UInt8>, into sink: inout ByteSink) {
        writeStatus(bytes, into: &sink)
        for index in 0..<fields.count
        where !fields[index].removed && fields[index].known != .setCookie {
            writeLine(bytes, fields[index], into: &sink)
        }
        sink.append("\r\n")
    }

    /// One line with a CRLF, whatever its own end is.
    private func writeLine(_ bytes: Span<UInt8>, _ field: FieldLine, into sink: inout ByteSink) {
        if !fields.hasBareLineFeeds { return sink.append(bytes.extracting(field.line.range)) }
        let content = field.line.range.lowerBound..<field.value.range.upperBound
        sink.append(bytes.extracting(content))
        sink.append("\r\n")
    }

    /// The space belongs there even where no reason follows (RFC 9112 section 4).
    ///
    /// A reason of `<none>` is what servers made with hyper, as granian, say of a status without one.
    private func writeStatus(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        sink.append("HTTP/1.1 ")
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
                // It would outrank what Cache-Control says.
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

    /// What the process allowed shared caches is taken back; the rest of its word stands.
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

/// What `Cache-Control` says to shared caches (RFC 9111 section 5.2.2).
struct CacheFacts {
    private var isPrivate = false
    private var isUnstored = false
    private var mustBeUnderstood = false

    /// A shared cache might keep the response.
    ///
    /// One that understands the status passes over a `no-store` beside `must-understand` (RFC 9111
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

    /// `public` and `s-maxage` are for shared caches alone.
    static func letsShare(_ bytes: Span<UInt8>, _ element: Range<Int>) -> Bool {
        if Octets.spells(bytes, element, "public") { return true }
        let name = element.lowerBound..<min(element.upperBound, element.lowerBound &+ 9)
        return Octets.spells(bytes, name, "s-maxage=")
    }
}
