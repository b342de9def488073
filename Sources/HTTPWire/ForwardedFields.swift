/// The forwarding fields for a client that connects directly; written once per connection.
package enum SenderLines {
    /// The most bytes that `write` appends.
    package static let maximumLength = 88

    /// Writes `X-Forwarded-For` and `X-Forwarded-Proto`, each with its CRLF.
    ///
    /// - Parameters:
    ///   - client: nil: it connects by a unix socket, which has no address (RFC 7239 section 6.2).
    ///   - isSecure: whether its connection is encrypted.
    ///   - sink: receives the lines.
    package static func write(client: IPAddress?, isSecure: Bool, into sink: inout ByteSink) {
        sink.append("X-Forwarded-For: ")
        write(client, into: &sink)
        sink.append(isSecure ? "\r\nX-Forwarded-Proto: https" : "\r\nX-Forwarded-Proto: http")
        sink.append("\r\n")
    }

    fileprivate static func write(_ address: IPAddress?, into sink: inout ByteSink) {
        if let address {
            address.write(into: &sink)
        } else {
            sink.append("unknown")
        }
    }
}

extension RequestHead {
    /// Writes a trusted proxy's statements about the client, and appends the proxy to them.
    ///
    /// - Parameter isMounted: whether its `X-Forwarded-Prefix` is extended in a following line.
    func write(
        _ origin: RequestOrigin, mounted isMounted: Bool, from bytes: Span<UInt8>,
        into sink: inout ByteSink
    ) {
        sink.append("X-Forwarded-For: ")
        if origin.listsForwarded {
            writeNodes(bytes, into: &sink)
        } else {
            writeValues(bytes, .xForwardedFor, into: &sink)
        }
        SenderLines.write(origin.peer, into: &sink)
        sink.append(
            origin.isSecure ? "\r\nX-Forwarded-Proto: https\r\n" : "\r\nX-Forwarded-Proto: http\r\n"
        )
        writeForwardedHost(bytes, origin.host.isEmpty ? host : origin.host, into: &sink)
        for index in 0..<fields.count where fields[index].known == .xForwardedOther {
            if isMounted, isPrefix(index, bytes) { continue }
            sink.append(bytes.extracting(fields[index].line.range))
        }
        if origin.extendsForwarded {
            sink.append("Forwarded: ")
            writeValues(bytes, .forwarded, into: &sink)
            writeElement(origin, bytes, into: &sink)
        }
    }

    /// Joins the values of all lines of a name into one list, left open for more.
    private func writeValues(
        _ bytes: Span<UInt8>, _ name: FieldName, into sink: inout ByteSink
    ) {
        for index in 0..<fields.count where fields[index].known == name {
            let value = fields[index].value.range
            if value.isEmpty { continue }
            sink.append(bytes.extracting(value))
            sink.append(", ")
        }
    }

    /// Writes the nodes of `Forwarded` in the form of `X-Forwarded-For`: addresses without ports.
    private func writeNodes(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        for index in 0..<fields.count where fields[index].known == .forwarded {
            var elements = ForwardedElements(fields[index].value.range)
            while case .element(let element) = elements.next(bytes) {
                SenderLines.write(ForwardedNode.address(bytes, element.node), into: &sink)
                sink.append(", ")
            }
        }
    }

    /// RFC 7239 sections 4 and 6: an address with colons needs brackets and quotes.
    private func writeElement(
        _ origin: RequestOrigin, _ bytes: Span<UInt8>, into sink: inout ByteSink
    ) {
        let isQuoted = origin.peer?.isV4 == false
        sink.append(isQuoted ? "for=\"[" : "for=")
        SenderLines.write(origin.peer, into: &sink)
        if isQuoted { sink.append("]\"") }
        if !host.isEmpty {
            sink.append(";host=\"")
            sink.append(bytes.extracting(host.range))
            sink.append("\"")
        }
        sink.append(origin.peerIsSecure ? ";proto=https\r\n" : ";proto=http\r\n")
    }
}
