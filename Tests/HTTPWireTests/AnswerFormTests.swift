internal import Testing

@testable internal import HTTPWire

/// What visitors and programs read where Mooring answers by itself.
@Suite struct AnswerFormTests {
    private func preference(_ lines: String...) -> AnswerPreference {
        let head = Array(
            ("GET / HTTP/1.1\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        return AnswerPreference(of: head.span)
    }

    @Test(arguments: [
        ("text/html,application/xml;q=0.9,*/*;q=0.8", AnswerPreference.Form.page),
        ("TEXT/HTML", .page), ("application/json;q=0.5, text/html;q=0.6", .page),
        ("application/json, text/plain, */*", .problem), ("application/problem+json", .problem),
        ("text/html;q=0.2, application/json", .problem),
        ("text/html;q=0, application/json", .problem),
        ("text/html; q=0", .text), ("text/html;level=1;q=0.000", .text), ("*/*", .text),
        ("", .text), ("text/htmlx", .text), ("image/avif,image/webp,*/*", .text),
    ])
    func `the form is the one that Accept prefers`(accept: String, form: AnswerPreference.Form) {
        #expect(preference("Host: a", "Accept: \(accept)").form == form)
        #expect(preference("accept:\(accept)", "Host: a").form == form)
    }

    @Test func `a script that fetches a page does not navigate`() {
        #expect(preference("Accept: text/html").isNavigation)
        #expect(preference("Accept: text/html", "Sec-Fetch-Mode: navigate").isNavigation)
        #expect(!preference("Sec-Fetch-Mode: cors", "Accept: text/html").isNavigation)
        #expect(!preference("Accept: */*").isNavigation && preference().form == .text)
    }

    @Test func `a page asks again, names the request and shows no markup of others`() {
        var page = ErrorPage(status: 503, details: "queue full")
        page.refreshSeconds = 4
        page.requestID = Array("abc".utf8)
        page.output = ["<script>alert('1')</script> & \"x\"\u{1b}[31m", "last"]
        let text = String(decoding: page.body(.page), as: UTF8.self)
        #expect(text.contains("<meta http-equiv=\"refresh\" content=\"4\">"))
        #expect(text.contains("abc") && text.contains("last</pre>") && !text.contains("<script"))
        #expect(
            text.contains(
                "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;[31m\n"))
        #expect(!text.contains("queue full") && !text.contains("mooring"))
    }

    @Test func `long output is shown from its end`() {
        var page = ErrorPage(status: 502, details: "x")
        page.output = (0..<5000).map { "line <\($0)>" }
        let body = page.body(.page)
        let text = String(decoding: body, as: UTF8.self)
        #expect(body.count < 12 * 1024 && text.contains("line &lt;4999&gt;</pre>"))
        #expect(!text.contains("http-equiv=\"refresh\""))
    }

    @Test func `a problem is one of RFC 9457`() {
        var page = ErrorPage(status: 404, details: "no route")
        page.requestID = Array("abc".utf8)
        #expect(
            String(decoding: page.body(.problem), as: UTF8.self)
                == "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                + "\"detail\":\"no route\",\"request_id\":\"abc\"}\n")
        #expect(String(decoding: page.body(.text), as: UTF8.self) == "404 Not Found\nno route\n")
    }

    @Test(arguments: [
        ("example.org", "/a?b=1", UInt16(8443), "https://example.org/a?b=1"),
        ("example.org:80", "/", 8443, "https://example.org/"),
        ("localhost:8080", "/x", 8443, "https://localhost:8443/x"),
        ("localhost:8080", "/x", 443, "https://localhost/x"),
        ("[::1]:8080", "/", 0, "https://[::1]/"), ("[::1]", "", 8443, "https://[::1]/"),
        ("a", "*", 0, "https://a/"), ("a", "?q", 0, "https://a/?q"),
        ("a:", "//b/c", 9, "https://a//b/c"),
    ])
    func `a redirect leads to the same address over https`(
        host: String, path: String, port: UInt16, location: String
    ) {
        let host = Array(host.utf8)
        let path = Array(path.utf8)
        let text = written { sink in
            RedirectAnswer(port: port, closes: false).write(
                host: host.span, path: path.span, date: host.span, into: &sink
            ) { $0.append("X-More: 1\r\n") }
        }
        #expect(text.hasPrefix("HTTP/1.1 308 Permanent Redirect\r\n"))
        #expect(text.contains("\r\nLocation: \(location)\r\n") && text.contains("X-More: 1\r\n"))
    }
}
