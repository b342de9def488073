extension RequestHead {
    /// Writes the head for the process except the empty line, so that the caller can add fields.
    ///
    /// - Parameters:
    ///   - bytes: the parsed bytes.
    ///   - resolved: the path and query to send instead of those received; empty: none.
    ///   - strippingPrefix: bytes to remove from the start of the path.
    ///   - inASCII: whether to percent-encode what RFC 3986 never allows in a target and some
    ///     servers refuse, and to repeat what they lose (`writeInASCII`).
    ///   - mount: the removed prefix to announce to the process, escaped; empty: none.
    ///   - hiding: cookies to leave out.
    ///   - keeping: the one of them that the process should see; empty: none.
    ///   - forwarded: prepared field lines about a client that connects directly (`SenderLines`).
    ///   - origin: where the request came from, if its sender is a trusted proxy: these lines then
    ///     replace `forwarded`.
    ///   - measured: the length of a body that arrived in chunks and is sent as a whole.
    ///   - upgrade: whether to ask the process for the protocol that the client asked for.
    ///   - overHTTP2: whether the client used HTTP/2, which `Via` states.
    ///   - expectsContinue: whether to ask the process if it wants the body.
    ///   - otherHost: sent as `Host` instead of the client's; empty: the client's.
    ///   - sink: receives the head.
    package func write(
        from bytes: Span<UInt8>, resolved: Span<UInt8> = Span(), strippingPrefix: Int,
        inASCII: Bool = false,
        mount: Span<UInt8> = Span(), hiding own: borrowing OwnCookies,
        keeping kept: Span<UInt8> = Span(),
        forwarded: Span<UInt8>, origin: RequestOrigin? = nil,
        measured: UInt64? = nil, upgrade asksUpgrade: Bool = false, overHTTP2: Bool = false,
        expectsContinue: Bool = false, host otherHost: Span<UInt8> = Span(),
        into sink: inout ByteSink
    ) {
        sink.append(bytes.extracting(methodRange.range))
        sink.append(" ")
        if resolved.isEmpty {
            writePath(
                bytes.extracting(path.range), strippingPrefix, escaping: inASCII, into: &sink
            )
        } else {
            writePath(resolved, strippingPrefix, escaping: inASCII, into: &sink)
        }
        sink.append(" HTTP/1.1\r\nHost: ")
        sink.append(otherHost.isEmpty ? bytes.extracting(host.range) : otherHost)
        sink.append("\r\n")
        writeFields(bytes, own, kept, into: &sink)
        if inASCII {
            let target = resolved.isEmpty ? bytes.extracting(path.range) : resolved
            writeInASCII(bytes, target, strippingPrefix, own, kept, into: &sink)
        }
        if let origin, origin.isTrusted {
            write(origin, mounted: !mount.isEmpty, from: bytes, into: &sink)
            writeVia(overHTTP2, into: &sink)
        } else {
            sink.append(forwarded)
            if isHTTP11, !overHTTP2, !host.isEmpty {
                // The two lines of most requests in one piece.
                sink.append("Via: 1.1 mooring\r\nX-Forwarded-Host: ")
                sink.append(bytes.extracting(host.range))
                sink.append("\r\n")
            } else {
                writeVia(overHTTP2, into: &sink)
                writeForwardedHost(bytes, host, into: &sink)
            }
        }
        if !mount.isEmpty {
            write(
                mount: mount, behindTrusted: origin?.isTrusted == true, from: bytes, into: &sink)
        }
        switch measured.map(BodyFraming.length) ?? body {
        case .none, .untilClose: break
        case .length(let length):
            sink.append("Content-Length: ")
            sink.append(decimal: length)
            sink.append("\r\n")
        case .chunked:
            if passesTrailers { writeLines(bytes, .trailer, into: &sink) }
            sink.append("Transfer-Encoding: chunked\r\n")
        }
        if expectsContinue { sink.append("Expect: 100-continue\r\n") }
        if asksUpgrade, !upgrade.isEmpty {
            sink.append("Connection: Upgrade\r\nUpgrade: ")
            sink.append(bytes.extracting(upgrade.range))
            sink.append("\r\n")
        } else if acceptsTrailers {
            // RFC 9110 section 10.1.4: the option prevents forwarding beyond the next hop.
            sink.append("Connection: TE\r\nTE: trailers\r\n")
        }
        if let maxForwards {
            sink.append("Max-Forwards: ")
            sink.append(decimal: maxForwards > 0 ? maxForwards &- 1 : 0)
            sink.append("\r\n")
        }
    }

    /// The version is that of the message received (RFC 9110 section 7.6.3).
    private func writeVia(_ overHTTP2: Bool, into sink: inout ByteSink) {
        sink.append(overHTTP2 ? "Via: 2.0" : isHTTP11 ? "Via: 1.1" : "Via: 1.0")
        sink.append(" mooring\r\n")
    }

    func writeForwardedHost(
        _ bytes: Span<UInt8>, _ host: ByteRange, into sink: inout ByteSink
    ) {
        if host.isEmpty { return }
        sink.append("X-Forwarded-Host: ")
        sink.append(bytes.extracting(host.range))
        sink.append("\r\n")
    }

    /// The lines of one name as received, although marked as removed.
    func writeLines(_ bytes: Span<UInt8>, _ name: FieldName, into sink: inout ByteSink) {
        for index in 0..<fields.count where fields[index].known == name {
            sink.append(bytes.extracting(fields[index].line.range))
        }
    }

    func writePath(
        _ path: Span<UInt8>, _ strippingPrefix: Int, escaping: Bool, into sink: inout ByteSink
    ) {
        // RFC 9112 section 3.2.4.
        if pathIsImplied { sink.append(method == .options && path.isEmpty ? "*" : "/") }
        let rest = min(strippingPrefix, path.count)
        if rest > 0, rest == path.count || path[rest] != 0x2f { sink.append("/") }
        if escaping {
            RequestTarget.writeEscaped(path.extracting(rest..<path.count), into: &sink)
        } else {
            sink.append(path.extracting(rest..<path.count))
        }
    }

    /// Copies the kept lines, adjacent ones in one piece.
    private func writeFields(
        _ bytes: Span<UInt8>, _ own: borrowing OwnCookies, _ kept: Span<UInt8>,
        into sink: inout ByteSink
    ) {
        var pending = 0..<0
        var hasCookies = false
        for index in 0..<fields.count where !fields[index].removed {
            let line = fields[index].line.range
            if fields[index].known == .cookie, cookieLines > 1 {
                sink.append(bytes.extracting(pending))
                pending = 0..<0
                if !hasCookies { writeJoinedCookies(bytes, own, kept, into: &sink) }
                hasCookies = true
            } else if fields[index].known == .cookie,
                let hidden = own.firstHidden(
                    in: fields[index].value.range, of: bytes, except: kept)
            {
                sink.append(bytes.extracting(pending))
                pending = 0..<0
                let value = fields[index].value.range
                writeCookies(bytes, value, without: hidden, own, kept, into: &sink)
            } else if pending.upperBound == line.lowerBound, !pending.isEmpty {
                pending = pending.lowerBound..<line.upperBound
            } else {
                sink.append(bytes.extracting(pending))
                pending = line
            }
        }
        sink.append(bytes.extracting(pending))
    }

    /// Writes a `Cookie` line without the hidden pairs, of which `first` is the first; writes
    /// nothing if no pair is left.
    private func writeCookies(
        _ bytes: Span<UInt8>, _ value: Range<Int>, without first: Range<Int>,
        _ own: borrowing OwnCookies, _ kept: Span<UInt8>, into sink: inout ByteSink
    ) {
        var pairs = CookiePairs(value)
        var started = false
        while let pair = pairs.next(in: bytes) {
            if pair.lowerBound == first.lowerBound { continue }
            if pair.lowerBound > first.lowerBound, own.hide(pair, in: bytes, except: kept) {
                continue
            }
            sink.append(started ? "; " : "Cookie: ")
            started = true
            sink.append(bytes.extracting(pair))
        }
        if started { sink.append("\r\n") }
    }

    /// Writes all `Cookie` lines as one, without the hidden pairs.
    ///
    /// CGI-like servers would join them with a comma, which would become part of a value (RFC 6265
    /// section 5.4, RFC 9113 section 8.2.3).
    ///
    /// - Parameter inASCII: whether to write a `Mooring-Octets` line instead.
    func writeJoinedCookies(
        _ bytes: Span<UInt8>, _ own: borrowing OwnCookies, _ kept: Span<UInt8>,
        inASCII: Bool = false, into sink: inout ByteSink
    ) {
        var started = false
        for index in 0..<fields.count
        where fields[index].known == .cookie && !fields[index].removed {
            var pairs = CookiePairs(fields[index].value.range)
            while let pair = pairs.next(in: bytes) {
                if own.hide(pair, in: bytes, except: kept) { continue }
                if inASCII {
                    sink.append(started ? ";%20" : "Mooring-Octets: Cookie=")
                    writeEncoded(bytes, pair, into: &sink)
                } else {
                    sink.append(started ? "; " : "Cookie: ")
                    sink.append(bytes.extracting(pair))
                }
                started = true
            }
        }
        if started { sink.append("\r\n") }
    }
}
