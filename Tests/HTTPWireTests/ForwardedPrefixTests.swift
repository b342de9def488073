internal import Testing

@testable internal import HTTPWire

/// What a process learns of the part of the path that it does not see.
@Suite struct ForwardedPrefixTests {
    /// The `X-Forwarded-…` lines of a request below `/shop`, or not, from a peer.
    private func lines(
        _ fields: [String], mount: String = "/shop", from peer: String = "10.0.0.9"
    ) throws -> [Substring] {
        let trusted = try TrustedNetworks(parsing: ["10.0.0.0/8"])
        let request = ["GET /shop/x HTTP/1.1", "Host: h"] + fields + ["", ""]
        let bytes = Array(request.joined(separator: "\r\n").utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let origin = head.origin(
            in: bytes.span, peer: address(peer), isSecure: false, trusted: trusted)
        let mount = Array(mount.utf8)
        let written = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: mount.count, mount: mount.span,
                hiding: OwnCookies(names: []), forwarded: Span(), origin: origin, into: &sink)
        }
        return written.split(separator: "\r\n").filter {
            $0.lowercased().hasPrefix("x-forwarded-p") && !$0.hasPrefix("X-Forwarded-Proto")
        }
    }

    @Test func `the process gets the prefix that is removed`() throws {
        #expect(try lines([], from: "203.0.113.5") == ["X-Forwarded-Prefix: /shop"])
        #expect(try lines([]) == ["X-Forwarded-Prefix: /shop"])
        #expect(try lines([], mount: "") == [])
    }

    @Test(arguments: [
        "X-Forwarded-Prefix: /evil", "X_Forwarded_Prefix: /evil", "x-forwarded_prefix:/",
    ])
    func `a client's own is dropped`(field: String) throws {
        #expect(try lines([field], from: "203.0.113.5") == ["X-Forwarded-Prefix: /shop"])
        #expect(try lines([field], mount: "", from: "203.0.113.5") == [])
    }

    @Test(arguments: [
        (["/outer"], "/outer/shop"), (["/outer/"], "/outer/shop"), (["/a, /b"], "/a/b/shop"),
        (["/a", "/b"], "/a/b/shop"), (["/"], "/shop"), ([""], "/shop"), (["outer"], "/shop"),
        (["//evil"], "/shop"), (["/a, //evil"], "/a/shop"),
    ])
    func `what trusted proxies have taken off comes first`(
        values: [String], wanted: String
    ) throws {
        let fields = values.map { "x-forwarded-PREFIX: \($0)" } + ["X-Forwarded-Port: 443"]
        let found = try lines(fields)
        #expect(found == ["X-Forwarded-Port: 443", "X-Forwarded-Prefix: \(wanted)"])
    }

    @Test func `without a prefix of its own a trusted proxy's is passed on`() throws {
        #expect(
            try lines(["X-Forwarded-Prefix: /outer"], mount: "") == ["X-Forwarded-Prefix: /outer"])
    }

    @Test(arguments: [
        ("", ""), ("/shop", "/shop"), ("/a b", "/a%20b"), ("/é", "/%C3%A9"), ("/50%", "/50%25"),
        ("/a,b;c=d", "/a%2Cb%3Bc%3Dd"), ("/A-z.0_9~", "/A-z.0_9~"), ("/a\r\nb", "/a%0D%0Ab"),
    ])
    func `a prefix is escaped`(prefix: String, path: String) {
        #expect(ForwardedPrefix.escaped(prefix) == Array(path.utf8))
    }

    @Test func `a body that is measured has a length in place of its chunks`() {
        let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        let bytes = Array((request + "Trailer: x\r\n\r\n").utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let written = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(), measured: 7, into: &sink)
        }
        #expect(written.hasSuffix("\r\nContent-Length: 7\r\n"))
        #expect(!written.contains("chunked") && !written.contains("Trailer"))
    }
}
