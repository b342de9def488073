/// The result of looking for a PROXY protocol header at the start of a connection.
package enum ProxyHeaderParse: Equatable, Sendable {
    /// More bytes are needed.
    case incomplete
    /// There is none, or an invalid one; a word for the log.
    ///
    /// The connection is closed without a response, as the protocol requires.
    case invalid(StaticString)
    /// The sender speaks for itself (LOCAL, UNKNOWN), as for a health check.
    case local(length: Int)
    case parsed(ProxyHeader)

    package static func == (left: ProxyHeaderParse, right: ProxyHeaderParse) -> Bool {
        switch (left, right) {
        case (.incomplete, .incomplete): true
        case (.invalid(let one), .invalid(let other)): one.description == other.description
        case (.local(let one), .local(let other)): one == other
        case (.parsed(let one), .parsed(let other)): one == other
        case (.incomplete, _), (.invalid, _), (.local, _), (.parsed, _): false
        }
    }
}

/// The connection that the sender of a PROXY header relays.
package struct ProxyHeader: Equatable, Sendable {
    /// One end; the address is nil for a unix socket.
    package struct End: Equatable, Sendable {
        package var address: IPAddress?
        package var port: UInt16
    }

    package var source: End
    package var destination: End
    /// Whether the client's own connection is encrypted, from a TLV of the sender (`PP2_TYPE_SSL`).
    package var isSecure = false
    /// Bytes of the header; the client's bytes follow.
    package var length: Int

    /// Version 2 headers above this are refused; senders are known to write some 500 bytes at most.
    package static let maximumLength = 4096

    private static let line: StaticString = "PROXY "
    private static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"

    /// Parses a header of version 1 or 2 (HAProxy's proxy-protocol.txt, 2020/03/05) at the start.
    ///
    /// While it returns `incomplete`, call it again with all bytes so far; it returns `invalid` as
    /// soon as the bytes cannot become a header.
    package static func parse(_ bytes: Span<UInt8>) -> ProxyHeaderParse {
        if begins(bytes, line) {
            if bytes.count < line.utf8CodeUnitCount { return .incomplete }
            return ProxyHeaderV1.parse(bytes)
        }
        guard begins(bytes, signature) else { return .invalid("no PROXY header") }
        if bytes.count < ProxyHeaderV2.fixedLength { return .incomplete }
        return ProxyHeaderV2.parse(bytes)
    }

    /// Whether the bytes, as far as they go, match a literal.
    private static func begins(_ bytes: Span<UInt8>, _ literal: StaticString) -> Bool {
        for offset in 0..<min(bytes.count, literal.utf8CodeUnitCount)
        where bytes[offset] != literal.octet(offset) {
            return false
        }
        return true
    }
}

/// Version 1: one line of text (proxy-protocol.txt section 2.1).
enum ProxyHeaderV1 {
    /// Including its CRLF.
    private static let maximumLength = 107

    static func parse(_ bytes: Span<UInt8>) -> ProxyHeaderParse {
        var end = 6
        while end < min(bytes.count, maximumLength), bytes[end] != 0x0a { end += 1 }
        if end == maximumLength { return .invalid("PROXY line too long") }
        if end == bytes.count { return .incomplete }
        guard bytes[end - 1] == 0x0d else { return .invalid("bad PROXY line") }
        let line = bytes.extracting(6..<end - 1)
        if isUnknown(line) { return .local(length: end + 1) }
        var words = Words()
        let family = words.next(line)
        let isV4 = spells(line, family, "TCP4")
        guard isV4 || spells(line, family, "TCP6"),
            let source = IPAddress(text: line.extracting(words.next(line))),
            let destination = IPAddress(text: line.extracting(words.next(line))),
            isV4 == source.isV4, isV4 == destination.isV4,
            let sourcePort = port(line, words.next(line)),
            let destinationPort = port(line, words.next(line)), words.isEmpty(line)
        else { return .invalid("bad PROXY line") }
        return .parsed(
            ProxyHeader(
                source: ProxyHeader.End(address: source, port: sourcePort),
                destination: ProxyHeader.End(address: destination, port: destinationPort),
                length: end + 1))
    }

    /// The receiver must ignore everything after the word UNKNOWN.
    private static func isUnknown(_ line: Span<UInt8>) -> Bool {
        spells(line, 0..<min(line.count, 7), "UNKNOWN") && (line.count == 7 || line[7] == 0x20)
    }

    private static func spells(
        _ line: Span<UInt8>, _ range: Range<Int>, _ literal: StaticString
    ) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where line[range.lowerBound + offset] != literal.octet(offset) {
            return false
        }
        return true
    }

    private static func port(_ line: Span<UInt8>, _ range: Range<Int>) -> UInt16? {
        guard (1...5).contains(range.count), let number = Octets.decimal(line, range),
            range.count == 1 || line[range.lowerBound] != 0x30
        else { return nil }
        return UInt16(exactly: number)
    }

    /// Words with exactly one space between them.
    private struct Words {
        private var position = 0

        mutating func next(_ line: Span<UInt8>) -> Range<Int> {
            let start = min(position, line.count)
            var end = start
            while end < line.count, line[end] != 0x20 { end += 1 }
            position = end + 1
            return start..<end
        }

        /// Whether all words were consumed, with nothing after the last.
        func isEmpty(_ line: Span<UInt8>) -> Bool { position == line.count + 1 }
    }
}
