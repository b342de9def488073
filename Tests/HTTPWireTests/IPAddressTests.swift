internal import Testing

@testable internal import HTTPWire

@Suite struct IPAddressTests {
    static let canonical = [
        "0.0.0.0", "255.255.255.255", "192.0.2.1", "::", "::1", "1::", "2001:db8::1",
        "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "fe80::1:0:0:1", "1:2:3:4:5:6:7:8",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:0",
    ]

    @Test(arguments: canonical)
    func `canonical text is read and written alike (RFC 5952 4)`(_ text: String) {
        let parsed = address(text)
        // A single group of zeros is not shortened.
        let expected = text == "::2:3:4:5:6:7:8" ? "0:2:3:4:5:6:7:8" : text
        #expect(parsed?.text == expected)
    }

    @Test func `other spellings mean the same (RFC 4291 2.2)`() {
        #expect(address("2001:DB8:0:0:0:0:0:1")?.text == "2001:db8::1")
        #expect(address("2001:db8::0001")?.text == "2001:db8::1")
        #expect(address("1:0:0:2:0:0:0:3")?.text == "1:0:0:2::3")
        #expect(address("1:2:3:4:5:6:1.2.3.4")?.text == "1:2:3:4:5:6:102:304")
        #expect(address("1:2:3:4:5:6:7::")?.text == "1:2:3:4:5:6:7:0")
    }

    @Test func `a mapped address is the IPv4 one`() {
        #expect(address("::ffff:192.0.2.1") == address("192.0.2.1"))
        #expect(address("::ffff:c000:201")?.text == "192.0.2.1")
        #expect(address("::192.0.2.1")?.isV4 == false)
    }

    static let bad = [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.",
        ".1.2.3.4", "1.2.3.4 ", "+1.2.3.4", "1.2.3.1000", ":", ":::", "1:", ":1", "::1::", "1:::2",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::",
        "g::", "::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::1:",
        "::ffff:1.2.3.4:1", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa",
    ]

    @Test(arguments: bad)
    func `anything else is no address`(_ text: String) {
        #expect(address(text) == nil)
    }

    @Test func `bytes of the wire are an address by their count`() {
        let v4: [UInt8] = [192, 0, 2, 1]
        #expect(IPAddress(bytes: v4.span)?.text == "192.0.2.1")
        let v6: [UInt8] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]
        #expect(IPAddress(bytes: v6.span)?.text == "2001:db8::9")
        #expect(IPAddress(bytes: v6.span.extracting(0..<5)) == nil)
    }
}

@Suite struct TrustedNetworksTests {
    private func trusts(_ networks: [String], _ text: String) throws -> Bool {
        let parsed = try #require(address(text))
        return try TrustedNetworks(parsing: networks).contains(parsed)
    }

    @Test func `an address is in its networks and in no other`() throws {
        #expect(try trusts(["10.0.0.0/8"], "10.255.1.2"))
        #expect(try !trusts(["10.0.0.0/8"], "11.0.0.0"))
        #expect(try trusts(["192.0.2.7"], "192.0.2.7"))
        #expect(try !trusts(["192.0.2.7"], "192.0.2.8"))
        #expect(try trusts(["192.0.2.8/31"], "192.0.2.9"))
        #expect(try trusts(["fd00::/8"], "fdff::1"))
        #expect(try !trusts(["fd00::/8"], "fe00::1"))
        #expect(try trusts(["2001:db8:1:2::/65"], "2001:db8:1:2:7fff::"))
        #expect(try !trusts(["2001:db8:1:2::/65"], "2001:db8:1:2:8000::"))
        #expect(try trusts(["::1", "10.0.0.0/8"], "10.0.0.1"))
        #expect(try !trusts([], "127.0.0.1"))
    }

    @Test func `a mapped peer is in the IPv4 network`() throws {
        #expect(try trusts(["10.0.0.0/8"], "::ffff:10.1.2.3"))
        #expect(try trusts(["::ffff:10.0.0.0/104"], "10.1.2.3"))
    }

    @Test func `all of one family is none of the other`() throws {
        #expect(try trusts(["0.0.0.0/0"], "203.0.113.1"))
        #expect(try !trusts(["0.0.0.0/0"], "2001:db8::1"))
        #expect(try trusts(["::/0"], "2001:db8::1"))
        #expect(try !trusts(["::/0"], "203.0.113.1"))
    }

    @Test func `peers on unix sockets are trusted by name only`() throws {
        #expect(try TrustedNetworks(parsing: ["unix"]).contains(nil))
        #expect(try !TrustedNetworks(parsing: ["0.0.0.0/0", "::/0"]).contains(nil))
        #expect(TrustedNetworks().isEmpty)
        #expect(try !TrustedNetworks(parsing: ["unix"]).isEmpty)
    }

    static let bad: [(String, TrustedNetworkProblem)] = [
        ("", .notANetwork("")), ("localhost", .notANetwork("localhost")),
        ("10.0.0.0/", .notANetwork("10.0.0.0/")), ("10.0.0.0/x", .notANetwork("10.0.0.0/x")),
        ("10.0.0.0/08", .notANetwork("10.0.0.0/08")), ("10.0.0.0/-1", .notANetwork("10.0.0.0/-1")),
        ("10.0.0.0/8/8", .notANetwork("10.0.0.0/8/8")), ("10/8", .notANetwork("10/8")),
        ("10.0.0.0/33", .prefixTooLong("10.0.0.0/33", maximum: 32)),
        ("::/129", .prefixTooLong("::/129", maximum: 128)),
        ("10.0.0.1/8", .bitsBehindPrefix("10.0.0.1/8", network: "10.0.0.0/8")),
        ("fd00::1/8", .bitsBehindPrefix("fd00::1/8", network: "fd00::/8")),
        ("::ffff:0:0/95", .notANetwork("::ffff:0:0/95")),
    ]

    @Test(arguments: bad)
    func `a bad entry is refused with what would be right`(
        _ entry: String, _ problem: TrustedNetworkProblem
    ) {
        #expect(throws: problem) { try TrustedNetworks(parsing: ["::1", entry]) }
        #expect(problem.description.contains("\"\(entry)\""))
    }
}
