internal import Testing

@testable internal import HTTPWire

/// Other protocols on the same connection: RFC 9110 section 7.8, RFC 6455 section 4.
@Suite struct UpgradeTests {
    private static let handshake =
        "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"

    private struct Asked: Equatable {
        var upgrade = ""
        var isWebSocket = false
        var forwarded = ""
    }

    private func asked(_ request: String) -> Asked {
        let bytes = Array((request + "\r\n").utf8)
        var head = RequestHead()
        var scan = 0
        guard head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete else {
            return Asked(upgrade: "refused")
        }
        let forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(),
                upgrade: true, into: &sink)
        }
        return Asked(
            upgrade: text(bytes, head.upgrade.range), isWebSocket: head.isWebSocket,
            forwarded: forwarded)
    }

    @Test func `a WebSocket handshake is known and forwarded as one when asked to`() {
        let request = asked("GET /chat HTTP/1.1\r\n" + Self.handshake)
        #expect(request.upgrade == "websocket")
        #expect(request.isWebSocket)
        #expect(
            request.forwarded
                == "GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: x\r\nVia: 1.1 mooring\r\nX-Forwarded-Host: a\r\n"
                + "Connection: Upgrade\r\nUpgrade: websocket\r\n")
    }

    @Test func `unless asked to, no upgrade is forwarded`() {
        let forwarded = Parsed("GET / HTTP/1.1\r\n" + Self.handshake + "\r\n").forwarded
        #expect(!forwarded.contains("Upgrade") && !forwarded.contains("Connection"))
    }

    @Test func `a WebSocket has GET, its name alone and version 13 once (RFC 6455 4.1)`() {
        func isWebSocket(_ start: String, _ change: (String, String) = ("", "")) -> Bool {
            var fields = Self.handshake
            if let range = fields.ranges(of: change.0).first, !change.0.isEmpty {
                fields.replaceSubrange(range, with: change.1)
            }
            return asked(start + fields).isWebSocket
        }
        #expect(isWebSocket("GET / HTTP/1.1\r\n"))
        #expect(isWebSocket("GET / HTTP/1.1\r\n", ("websocket", "WebSocket")))
        #expect(!isWebSocket("POST / HTTP/1.1\r\n"))
        #expect(!isWebSocket("GET / HTTP/1.0\r\n"))
        #expect(!isWebSocket("GET / HTTP/1.1\r\n", (": 13", ": 8")))
        #expect(!isWebSocket("GET / HTTP/1.1\r\n", (": 13", ": 13\r\nSec-WebSocket-Version: 8")))
        #expect(!isWebSocket("GET / HTTP/1.1\r\n", (": 13", ": 8\r\nSec-WebSocket-Version: 13")))
        #expect(!isWebSocket("GET / HTTP/1.1\r\n", (": websocket", ": websocket, x")))
        #expect(!isWebSocket("GET / HTTP/1.1\r\n", (", Upgrade", "")))
    }

    @Test func `another protocol may be asked for as well`() {
        let request = asked(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: tcp/1.0, x\r\n")
        #expect(request.upgrade == "tcp/1.0, x")
        #expect(!request.isWebSocket)
    }

    static let ignored = [
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: \r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x y\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x/\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nUpgrade: y\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket, H2C\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: HTTP/2.0\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: "
            + String(repeating: "x", count: 129) + "\r\n",
    ]

    @Test(arguments: ignored)
    func `an upgrade that may not pass is ignored and the request taken as it is`(
        _ request: String
    ) {
        let asked = asked(request)
        #expect(asked.upgrade.isEmpty && !asked.isWebSocket)
        #expect(!asked.forwarded.contains("Upgrade: ") && !asked.forwarded.contains("Connection"))
    }

    private func switched(_ response: String, offered: String) -> String? {
        let bytes = Array(response.utf8)
        let offered = Array(offered.utf8)
        let date = Array("now".utf8)
        let cookie = Array("Set-Cookie: a=b\r\n".utf8)
        var head = ResponseHead()
        var scan = 0
        let parsed = head.parse(
            bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get,
            offeredUpgrade: offered.span)
        guard parsed == .complete, head.isSwitchingProtocols, !head.isInformational else {
            return nil
        }
        #expect(head.body == .none)
        return written { sink in
            head.write(
                from: bytes.span, framing: .none, closes: false, date: date.span,
                setCookie: cookie.span, into: &sink)
        }
    }

    private static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
        + "Sec-WebSocket-Accept: y\r\n\r\n"

    @Test func `a 101 that takes up an offer is passed on with its upgrade and our cookie`() {
        #expect(
            switched(Self.switching, offered: "x, websocket")
                == "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\n"
                + "Cache-Control: private\r\nDate: now\r\nSet-Cookie: a=b\r\nVia: 1.1 mooring\r\n"
                + "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
    }

    @Test func `a 101 for what was not offered is refused (RFC 9110 15.2.2)`() {
        #expect(switched(Self.switching, offered: "") == nil)
        #expect(switched(Self.switching, offered: "websocke") == nil)
        #expect(switched(Self.switching, offered: "websocketx") == nil)
    }

    static let badSwitches = [
        "HTTP/1.0 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket, x\r\n\r\n",
        "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\nUpgrade: websocket\r\n\r\n",
    ]

    @Test(arguments: badSwitches)
    func `a 101 that is not whole is refused`(_ response: String) {
        #expect(switched(response, offered: "x, websocket") == nil)
    }

    @Test func `a 101 never has a length (RFC 9110 8.6)`() {
        let response = Self.switching.replacing("\r\n\r\n", with: "\r\nContent-Length: 5\r\n\r\n")
        #expect(switched(response, offered: "websocket")?.contains("Content-Length") == false)
    }

    @Test func `the process may ask for an upgrade with 426 (RFC 9110 15.5.22)`() {
        let response = ParsedResponse(
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Content-Length: 0\r\n\r\n")
        #expect(response.forwarded.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        let other = ParsedResponse(
            "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n")
        #expect(!other.forwarded.contains("Upgrade"))
    }
}
