internal import Testing

@testable internal import HTTPWire

/// The client according to trusted proxies, and what the process learns of it.
@Suite struct ForwardedTests {
    private struct Seen: Equatable {
        var client = ""
        var isSecure = false
        var lines = ""
    }

    /// A request with these fields from a peer, with 10.0.0.0/8 and fd00::/8 trusted.
    private func seen(_ fields: [String], from peer: String = "10.0.0.9", isSecure: Bool = false)
        throws -> Seen
    {
        let trusted = try TrustedNetworks(parsing: ["10.0.0.0/8", "fd00::/8"])
        let bytes = Array(
            ("GET / HTTP/1.1\r\nHost: h:80\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8
        )
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let origin = head.origin(
            in: bytes.span, peer: address(peer), isSecure: isSecure,
            trusted: trusted)
        let written = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(),
                origin: origin, into: &sink)
        }
        return Seen(
            client: origin.client?.text ?? "unix", isSecure: origin.isSecure,
            lines: String(written.dropFirst("GET / HTTP/1.1\r\nHost: h:80\r\n".count)))
    }

    @Test func `of a peer that is not trusted nothing is believed or kept`() throws {
        let seen = try seen(
            [
                "X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
                "Forwarded: for=2.2.2.2", "X-Forwarded-Port: 1", "X-Real-IP: 3.3.3.3",
                "X_Forwarded_For: 4.4.4.4", "X_Real_IP: 5.5.5.5",
            ], from: "203.0.113.5")
        #expect(
            seen
                == Seen(
                    client: "203.0.113.5", lines: "Via: 1.1 mooring\r\nX-Forwarded-Host: h:80\r\n"))
    }

    @Test func `what a trusted proxy states is kept, and the proxy is added`() throws {
        let seen = try seen([
            "X-Forwarded-For: 203.0.113.5", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: www.example.org", "X-Forwarded-Port: 443",
        ])
        #expect(
            seen
                == Seen(
                    client: "203.0.113.5", isSecure: true,
                    lines: "X-Forwarded-For: 203.0.113.5, 10.0.0.9\r\nX-Forwarded-Proto: https\r\n"
                        + "X-Forwarded-Host: www.example.org\r\nX-Forwarded-Port: 443\r\n"
                        + "Via: 1.1 mooring\r\n"))
    }

    @Test func `a trusted proxy that states nothing is the client itself`() throws {
        #expect(
            try seen([], isSecure: true)
                == Seen(
                    client: "10.0.0.9", isSecure: true,
                    lines: "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: https\r\n"
                        + "X-Forwarded-Host: h:80\r\nVia: 1.1 mooring\r\n"))
    }

    @Test func `underscores are no proxy's either`() throws {
        let lines = try seen(["X_Forwarded_For: 1.1.1.1", "X_Forwarded_Proto: https"]).lines
        #expect(!lines.contains("_") && !lines.contains("1.1.1.1"))
    }

    static let lists: [(String, String)] = [
        ("203.0.113.5", "203.0.113.5"), ("198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.5, 10.1.1.1, 10.2.2.2", "203.0.113.5"), ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.1.1.1, 203.0.113.5, 10.2.2.2", "203.0.113.5"), ("203.0.113.5:1234", "203.0.113.5"),
        ("2001:db8::7", "2001:db8::7"), ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"), ("::ffff:203.0.113.5", "203.0.113.5"),
        ("203.0.113.5, unknown", "10.0.0.9"), ("203.0.113.5, unknown, 10.1.1.1", "10.1.1.1"),
        ("", "10.0.0.9"), (", ,", "10.0.0.9"), ("203.0.113.5, 1.2.3", "10.0.0.9"),
        ("203.0.113.5:x", "10.0.0.9"), ("[203.0.113.5", "10.0.0.9"), ("fd00::1", "fd00::1"),
    ]

    @Test(arguments: lists)
    func `the client is the right-most address that is no trusted proxy's`(
        _ list: String, _ client: String
    ) throws {
        #expect(try seen(["X-Forwarded-For: \(list)"]).client == client)
    }

    @Test func `several lines are one list (RFC 9110 5.3)`() throws {
        let seen = try seen(["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 203.0.113.5, 10.3.3.3"])
        #expect(seen.client == "203.0.113.5")
        #expect(
            seen.lines.hasPrefix("X-Forwarded-For: 1.1.1.1, 203.0.113.5, 10.3.3.3, 10.0.0.9\r\n"))
    }

    @Test func `a scheme or host that is none is not believed`() throws {
        let seen = try seen(["X-Forwarded-Proto: gopher", "X-Forwarded-Host: a b"])
        #expect(!seen.isSecure)
        #expect(seen.lines.contains("X-Forwarded-Proto: http\r\nX-Forwarded-Host: h:80\r\n"))
    }

    @Test func `Forwarded is read, extended and written in the other form (RFC 7239)`() throws {
        let seen = try seen(
            ["Forwarded: for=\"[2001:db8::7]:47011\";Proto=https;host=\"a:1\", for=10.1.1.1"],
            from: "fd00::9")
        #expect(
            seen
                == Seen(
                    client: "2001:db8::7", isSecure: true,
                    lines: "X-Forwarded-For: 2001:db8::7, 10.1.1.1, fd00::9\r\n"
                        + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a:1\r\n"
                        + "Forwarded: for=\"[2001:db8::7]:47011\";Proto=https;host=\"a:1\","
                        + " for=10.1.1.1, for=\"[fd00::9]\";host=\"h:80\";proto=http\r\n"
                        + "Via: 1.1 mooring\r\n"))
    }

    /// The scheme and host that the client's own proxy saw, in both forms, as forwarded.
    static let hops: [(fields: [String], isSecure: Bool, host: String)] = [
        (["X-Forwarded-Proto: https, http", "X-Forwarded-Host: a, b"], true, "a"),
        (["X-Forwarded-Proto: http, https", "X-Forwarded-Host: a, b"], false, "a"),
        (["X-Forwarded-Proto: http, https, http", "X-Forwarded-Host: x, a, b"], true, "a"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], true, "h:80"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Host: a"], true, "a"),
        (["X-Forwarded-Proto: wss , ws", "X-Forwarded-Host: a b, c"], true, "h:80"),
        ([], false, "h:80"),
    ]

    @Test(arguments: hops)
    func `scheme and host are those that the client's own proxy saw`(
        _ hop: (fields: [String], isSecure: Bool, host: String)
    ) throws {
        let seen = try seen(["X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.4"] + hop.fields)
        #expect(seen.client == "203.0.113.9")
        #expect(seen.isSecure == hop.isSecure)
        let proto = hop.isSecure ? "https" : "http"
        #expect(
            seen.lines.contains(
                "X-Forwarded-Proto: \(proto)\r\nX-Forwarded-Host: \(hop.host)\r\n"))
    }

    static let elements: [(value: String, isSecure: Bool, host: String)] = [
        ("for=203.0.113.9;proto=https;host=a, for=10.0.0.4;proto=http;host=b", true, "a"),
        ("for=203.0.113.9;proto=http, for=10.0.0.4;proto=https;host=b", false, "b"),
        ("for=1.1.1.1;proto=http;host=x, for=203.0.113.9;proto=https, for=10.0.0.4", true, "h:80"),
        ("for=203.0.113.9, for=10.0.0.4;proto=https, for=10.0.0.5;proto=http", true, "h:80"),
    ]

    @Test(arguments: elements)
    func `Forwarded gives the same answer`(_ told: (value: String, isSecure: Bool, host: String))
        throws
    {
        let seen = try seen([
            "Forwarded: \(told.value)", "X-Forwarded-Proto: \(told.isSecure ? "http" : "https")",
        ])
        #expect(seen.client == "203.0.113.9")
        #expect(seen.isSecure == told.isSecure)
        #expect(seen.lines.contains("X-Forwarded-Host: \(told.host)\r\nForwarded: "))
    }

    @Test(arguments: ["proto=http", "host=other", "proto=http;host=a", "proto=https;host=b"])
    func `a Forwarded that contradicts scheme or host goes`(_ said: String) throws {
        let fields = [
            "X-Forwarded-For: 203.0.113.9, 10.0.0.4", "X-Forwarded-Proto: https, http",
            "X-Forwarded-Host: A, b", "X-Forwarded-Port: 443",
        ]
        let agreeing = "Forwarded: for=203.0.113.9;proto=https;host=a, for=10.0.0.4;proto=http"
        #expect(try seen(fields + [agreeing]).lines.contains("\r\nForwarded: for=203.0.113.9"))
        let seen = try seen(fields + ["Forwarded: for=203.0.113.9;\(said), for=10.0.0.4"])
        #expect(seen.isSecure)
        #expect(!seen.lines.contains("Forwarded: for="))
        #expect(seen.lines.contains("X-Forwarded-Host: A\r\nX-Forwarded-Port: 443\r\n"))
    }

    @Test(arguments: [
        "X-Forwarded-Ssl: on", "X-Forwarded-Scheme: https", "X-Forwarded-Protocol: ssl",
        "X-Forwarded-Https: on", "Front-End-Https: on", "X-Url-Scheme: https", "x-scheme: https",
        "X-Original-Proto: https", "X-ARR-SSL: 1", "CloudFront-Forwarded-Proto: https",
        "X_Forwarded_Ssl: on", "Front_End_Https: on", "X_Url-Scheme: https", "X_SCHEME: https",
    ])
    func `no other word for the scheme reaches a process`(_ field: String) throws {
        for peer in ["10.0.0.9", "203.0.113.5"] {
            let seen = try seen([field, "X-Kept: 1"], from: peer)
            #expect(!seen.isSecure)
            #expect(seen.lines.hasPrefix("X-Kept: 1\r\n"))
            #expect(!seen.lines.contains(field))
        }
    }

    @Test func `obfuscated nodes hide who is behind them (RFC 7239 6)`() throws {
        let seen = try seen(["Forwarded: for=203.0.113.5, for=_hidden;proto=https"])
        #expect(seen.client == "10.0.0.9")
        #expect(seen.isSecure)
        #expect(seen.lines.hasPrefix("X-Forwarded-For: 203.0.113.5, unknown, 10.0.0.9\r\n"))
    }

    @Test func `a Forwarded that contradicts X-Forwarded-For may be the client's own and goes`()
        throws
    {
        let seen = try seen(["Forwarded: for=6.6.6.6;proto=https", "X-Forwarded-For: 203.0.113.5"])
        #expect(seen.client == "203.0.113.5")
        #expect(!seen.isSecure)
        #expect(!seen.lines.contains("Forwarded: for="))
    }

    @Test func `both forms that agree are both extended`() throws {
        let seen = try seen(["Forwarded: for=203.0.113.5", "X-Forwarded-For: 203.0.113.5"])
        #expect(seen.lines.contains("X-Forwarded-For: 203.0.113.5, 10.0.0.9\r\n"))
        #expect(
            seen.lines.contains(
                "\r\nForwarded: for=203.0.113.5, for=10.0.0.9;host=\"h:80\";proto=http\r\n"))
    }

    static let bad = [
        "for", "for=", "for=\"1.1.1.1", "for=1.1.1.1;for=2.2.2.2", "for =1.1.1.1", "=1.1.1.1",
        "for=1.1.1.1 proto=https", "for=\"1.1.1.\\1\"", "for=1.1.1.1;proto", "for=[::1]",
        "for=1.1.1.1:80",
    ]

    @Test(arguments: bad)
    func `a Forwarded that is not of the grammar is not believed and goes`(
        _ value: String
    ) throws {
        let seen = try seen(["Forwarded: for=203.0.113.5;proto=https", "Forwarded: \(value)"])
        #expect(seen.client == "10.0.0.9")
        #expect(!seen.isSecure)
        #expect(!seen.lines.contains("Forwarded: for"))
    }

    @Test func `empty elements and unknown parameters mean nothing`() throws {
        let seen = try seen(["Forwarded: , by=_x;for=203.0.113.5;ext=\"a,b;c\" , ,"])
        #expect(seen.client == "203.0.113.5")
    }

    @Test func `the lines of a client that speaks for itself are ready made`() {
        let address = IPAddress(high: .max, low: .max)
        let lines = written { sink in
            SenderLines.write(client: address, isSecure: true, into: &sink)
        }
        #expect(
            lines
                == "X-Forwarded-For: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\r\n"
                + "X-Forwarded-Proto: https\r\n")
        #expect(lines.utf8.count <= SenderLines.maximumLength)
        let unix = written { sink in
            SenderLines.write(client: nil, isSecure: false, into: &sink)
        }
        #expect(unix.hasPrefix("X-Forwarded-For: unknown\r\nX-Forwarded-Proto: http\r\n"))
    }
}
