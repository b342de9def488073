internal import Testing

@testable internal import HTTPWire

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    private func parse(_ text: String) -> ProxyHeaderParse {
        let bytes = Array(text.utf8)
        return ProxyHeader.parse(bytes.span)
    }

    private func parse(_ bytes: [UInt8]) -> ProxyHeaderParse { ProxyHeader.parse(bytes.span) }

    private func end(_ text: String, _ port: UInt16) -> ProxyHeader.End {
        ProxyHeader.End(address: address(text), port: port)
    }

    /// A version 2 header around addresses and additional fields.
    private func binary(
        command: UInt8 = 0x21, family: UInt8 = 0x11, _ content: [UInt8]
    ) -> [UInt8] {
        let count = content.count
        return Self.signature + [command, family, UInt8(count >> 8), UInt8(count & 255)] + content
    }

    private static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 80]

    private func isInvalid(_ parse: ProxyHeaderParse) -> Bool {
        if case .invalid = parse { return true }
        return false
    }

    @Test func `a line of version 1 names both ends (proxy-protocol.txt 2.1)`() {
        let line = "PROXY TCP4 192.0.2.1 198.51.100.2 12345 80\r\n"
        let header = ProxyHeader(
            source: end("192.0.2.1", 12345), destination: end("198.51.100.2", 80),
            length: line.utf8.count)
        #expect(parse(line + "GET / HTTP/1.1\r\n") == .parsed(header))
        let v6 = "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"
        #expect(
            parse(v6)
                == .parsed(
                    ProxyHeader(
                        source: end("2001:db8::1", 1), destination: end("::1", 65535),
                        length: v6.utf8.count)))
    }

    @Test func `an unknown sender speaks for itself`() {
        #expect(parse("PROXY UNKNOWN\r\nGET") == .local(length: 15))
        let long = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"
        #expect(parse(long) == .local(length: long.utf8.count))
    }

    static let badLines = [
        "GET / HTTP/1.1\r\n", "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXYTCP4", "PROXY \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", "PROXY TCP4 ::1 192.0.2.2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 ::1 1 2\r\n", "PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UNKNOWNX\r\n", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2  1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n",
        "PROXY UNKNOWN " + String(repeating: "x", count: 93),
        "PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n",
    ]

    @Test(arguments: badLines)
    func `anything else is refused`(_ line: String) {
        #expect(isInvalid(parse(line)))
    }

    @Test func `a line of 107 bytes is the longest`() {
        let line = "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n"
        #expect(line.utf8.count == 107)
        #expect(parse(line) == .local(length: 107))
    }

    @Test func `a header that has not come whole is waited for, byte by byte`() {
        let headers = [
            Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 80\r\n".utf8), binary(Self.v4),
            binary(command: 0x20, family: 0, []),
        ]
        for header in headers {
            for count in 0..<header.count {
                #expect(parse(Array(header.prefix(count))) == .incomplete)
            }
            #expect(parse(header) != .incomplete)
        }
    }

    @Test func `a binary header names both ends (proxy-protocol.txt 2.2)`() {
        let expected = ProxyHeader(
            source: end("192.0.2.1", 12345), destination: end("198.51.100.2", 80), length: 28)
        #expect(parse(binary(Self.v4) + [1, 2, 3]) == .parsed(expected))
        let one: [UInt8] = [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        let v6 = one + one + [0, 1, 0, 2]
        #expect(
            parse(binary(family: 0x21, v6))
                == .parsed(
                    ProxyHeader(
                        source: end("2001:db8::1", 1), destination: end("2001:db8::1", 2),
                        length: 52)))
        let unix = [UInt8](repeating: 0x2f, count: 216)
        let none = ProxyHeader.End(address: nil, port: 0)
        #expect(
            parse(binary(family: 0x31, unix))
                == .parsed(ProxyHeader(source: none, destination: none, length: 232)))
    }

    @Test func `LOCAL and unspecified families leave the connection's own ends`() {
        #expect(parse(binary(command: 0x20, family: 0, [])) == .local(length: 16))
        #expect(parse(binary(command: 0x20, family: 0xff & 0x11, [9])) == .local(length: 17))
        #expect(parse(binary(family: 0, [4, 0, 1, 0])) == .local(length: 20))
    }

    @Test func `a bad binary header is refused`() {
        #expect(isInvalid(parse(binary(command: 0x11, Self.v4))))
        #expect(isInvalid(parse(binary(command: 0x22, Self.v4))))
        #expect(isInvalid(parse(binary(family: 0x41, Self.v4))))
        #expect(isInvalid(parse(binary(family: 0x12, Self.v4))))
        #expect(isInvalid(parse(binary(Array(Self.v4.dropLast())))))
        #expect(isInvalid(parse(binary(family: 0x21, Self.v4))))
        let damaged = Self.signature.map { $0 == 0x51 ? 0x52 : $0 }
        #expect(isInvalid(parse(damaged)))
    }

    @Test func `a header is refused by its length before the rest has come`() {
        let start = Self.signature + [0x21, 0x11]
        #expect(parse(start + [0x0f, 0xf0]) == .incomplete)
        #expect(isInvalid(parse(start + [0x0f, 0xf1])))
    }

    @Test func `additional fields are passed over within their bounds`() {
        let fields: [UInt8] = [4, 0, 2, 0, 0, 1, 0, 1, 0x68]
        #expect(!isInvalid(parse(binary(Self.v4 + fields))))
        #expect(isInvalid(parse(binary(Self.v4 + [4, 0]))))
        #expect(isInvalid(parse(binary(Self.v4 + [4, 0, 2, 0]))))
        #expect(isInvalid(parse(binary(Self.v4 + [4, 255, 255, 0]))))
        #expect(isInvalid(parse(binary(Self.v4 + [0x20, 0, 4, 1, 0, 0, 0]))))
    }

    @Test func `a client that came over TLS is known by its field`() {
        for (client, isSecure) in [(1, true), (0, false), (5, true), (4, false)] {
            let field: [UInt8] = [0x20, 0, 5, UInt8(client), 0, 0, 0, 0]
            guard case .parsed(let header) = parse(binary(Self.v4 + field)) else {
                Issue.record("not parsed")
                return
            }
            #expect(header.isSecure == isSecure)
        }
    }

    @Test func `a checksum is verified (proxy-protocol.txt 2.2.3)`() {
        let sealed = sealed(binary(Self.v4 + [3, 0, 4, 0, 0, 0, 0]))
        #expect(!isInvalid(parse(sealed)))
        // But for the type of the field: of another type it is passed over.
        for index in 16..<sealed.count where index != 28 {
            var damaged = sealed
            damaged[index] ^= 1
            #expect(isInvalid(parse(damaged)), "byte \(index)")
        }
        let twice = Array(sealed.suffix(7))
        #expect(isInvalid(parse(binary(Self.v4 + twice + twice))))
    }

    /// The header with its checksum, in its last four bytes.
    private func sealed(_ header: [UInt8]) -> [UInt8] {
        var sum = CRC32C()
        for byte in header { sum.add(byte) }
        return header.dropLast(4) + (0..<4).map { UInt8(sum.value >> (24 - 8 * $0) & 255) }
    }

    @Test func `the checksum is Castagnoli's (RFC 3720 B.4)`() {
        var zeros = CRC32C()
        for _ in 0..<32 { zeros.add(0) }
        #expect(zeros.value == 0x8a91_36aa)
        var digits = CRC32C()
        for byte in "123456789".utf8 { digits.add(byte) }
        #expect(digits.value == 0xe306_9283)
    }
}
