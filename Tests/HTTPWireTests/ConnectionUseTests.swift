internal import Testing

@testable internal import HTTPWire

/// What a message implies for its connection: whose it is, and whether it can be kept.
@Suite struct ConnectionUseTests {
    private func response(
        _ text: String, to method: RequestMethod = .get,
        _ ask: (borrowing ResponseHead, Span<UInt8>) -> Bool
    ) -> Bool {
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        var scan = 0
        let parsed = head.parse(
            bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: method)
        #expect(parsed == .complete)
        return ask(head, bytes.span)
    }

    private func keeps(_ text: String, to method: RequestMethod = .get) -> Bool {
        response("HTTP/1.1 \(text)\r\n\r\n", to: method) { head, _ in head.keepAlive }
    }

    @Test func `a connection ends with a response that announces a body which must not come`() {
        #expect(!keeps("200 OK\r\nContent-Length: 5", to: .head))
        #expect(!keeps("200 OK\r\nTransfer-Encoding: chunked", to: .head))
        #expect(!keeps("204 No Content\r\nContent-Length: 5"))
        #expect(!keeps("304 Not Modified\r\nContent-Length: 5"))
        #expect(keeps("200 OK", to: .head))
        #expect(keeps("200 OK\r\nContent-Length: 0", to: .head))
        #expect(keeps("204 No Content"))
        #expect(keeps("200 OK\r\nContent-Length: 5"))
    }

    @Test func `a challenge to sign in the connection is found in every spelling`() {
        func offers(_ fields: String, status: Int = 401) -> Bool {
            response("HTTP/1.1 \(status) No\r\n\(fields)\r\nContent-Length: 0\r\n\r\n") {
                $0.offersConnectionSignIn($1)
            }
        }
        #expect(offers("WWW-Authenticate: NTLM"))
        #expect(offers("www-authenticate: negotiate"))
        #expect(offers("WWW-Authenticate: Basic realm=\"a, b\", nTLM"))
        #expect(offers("WWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: Negotiate YII="))
        #expect(offers("Proxy-Authenticate: NTLM", status: 407))
        #expect(!offers("WWW-Authenticate: Basic realm=\"NTLMish\""))
        #expect(!offers("WWW-Authenticate: Digest nonce=\"negotiated\""))
        #expect(!offers("X-Authenticate: NTLM"))
    }

    private func request<Value>(
        _ fields: String, _ ask: (borrowing RequestHead, Span<UInt8>) -> Value
    ) -> Value {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        let parsed = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
        #expect(parsed == .complete)
        return ask(head, bytes.span)
    }

    @Test func `credentials for the connection are distinguished from others`() {
        func signsIn(_ value: String) -> Bool {
            request("Authorization: \(value)\r\n") { head, _ in head.signsInConnection }
        }
        #expect(signsIn("NTLM TlRM"))
        #expect(signsIn("negotiate YII="))
        #expect(!signsIn("Bearer ntlm"))
        #expect(!signsIn("Basic TlRM"))
    }

    @Test(arguments: [
        "Via: 1.1 a", "Forwarded: for=1", "X-Forwarded-Anything: 1", "X-Real-IP: 1", "x_real_ip: 1",
        "True-Client-IP: 1", "CF-Ray: 1", "X-Envoy-Internal: 1", "CDN-Loop: a", "Akamai-X: 1",
        "X-Original-Forwarded-For: 1", "Fastly-Client-IP: 1", "X-ProxyUser-IP: 1",
    ])
    func `a field that proxies add is known`(field: String) {
        #expect(request("\(field)\r\n") { $0.cameThroughProxy($1) })
    }

    @Test func `what browsers send is not taken for a proxy's`() {
        let fields =
            "User-Agent: a\r\nAccept: */*\r\nSec-Fetch-Site: none\r\nCookie: a=b\r\n"
            + "Authorization: Bearer x\r\nX-CSRF-Token: y\r\nX-Requested-With: z\r\n"
        #expect(!request(fields) { $0.cameThroughProxy($1) })
    }

    @Test func `a visitor is the same for a page and what belongs to it, and no one else`() {
        func visitor(_ fields: String) -> UInt64 { request(fields) { $0.visitor($1) } }
        let one = visitor("User-Agent: a\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n")
        #expect(visitor("Accept: image/png\r\nReferer: http://a/\r\nuser-agent: a\r\n") == one)
        #expect(visitor("User-Agent: b\r\n") != one)
        #expect(visitor("User-Agent: a\r\nCookie: id=2\r\n") != one)
        #expect(visitor("User-Agent: a\r\nX-Token: 2\r\n") != one)
    }

    @Test func `how long a process keeps a connection is read from its field`() {
        func seconds(_ value: String) -> UInt32 {
            var found: UInt32 = 0
            _ = response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: \(value)\r\n\r\n") {
                head, _ in
                found = head.keepsForSeconds
                return true
            }
            return found
        }
        #expect(seconds("timeout=5") == 5)
        #expect(seconds("max=100, Timeout=65") == 65)
        #expect(seconds("timeout=x") == 0)
        #expect(seconds("300") == 0)
    }
}
