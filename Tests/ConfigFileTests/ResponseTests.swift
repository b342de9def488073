internal import ConfigFile
internal import Settings
internal import Testing

/// What the configuration adds to responses, and the pages in place of Mooring's own.
@Suite struct ResponseTests {
    private func listening(_ line: String) -> String {
        "[[listen]]\naddress = \"127.0.0.1:80\"\n\(line)\n\(someGroup)"
    }

    @Test func `nothing is added, redirected or replaced by default`() throws {
        let configuration = try read(someGroup)
        let listener = try #require(configuration.listeners.first)
        #expect(listener.headers.isEmpty && !listener.redirectsToHTTPS)
        #expect(configuration.routes.allSatisfy { $0.headers.isEmpty && $0.errors.isEmpty })
    }

    @Test func `pages of a group hold for its routes, which have their own over them`() throws {
        let configuration = try read(
            """
            [group.a]
            wsgi = "a"
            errors = { 503 = "busy.html", 502 = "/etc/gone.html" }
            [routes]
            "/" = "a"
            "/x" = { group = "a", errors = { 503 = "x.html" } }
            """)
        let files = configuration.routes.map { route in
            route.errors.map { "\($0.status) \($0.path)" }
        }
        #expect(
            files == [
                ["502 /etc/gone.html", "503 /srv/app/busy.html"],
                ["502 /etc/gone.html", "503 /srv/app/x.html"],
            ])
    }

    @Test(arguments: [
        ("headers = { \"X A\" = \"b\" }", "is no name of a field"),
        ("headers = { \"X-A:\" = \"b\" }", "is no name of a field"),
        ("headers = { X_A = \"b\" }", "is no name of a field"),
        ("headers = { X-A = \"b\\r\\nX-B: c\" }", "holds what no field's value may"),
        ("headers = { X-A = \"b\\u007f\" }", "holds what no field's value may"),
        ("headers = { X-A = \" b\" }", "holds what no field's value may"),
        ("headers = { X-A = \"é\" }", "holds what no field's value may"),
        ("headers = { X-A = 1 }", "needs a text"),
        ("headers = { X-A = \"1\", x-a = \"2\" }", "is there twice"),
        ("headers = { Set-Cookie = \"a=b\" }", "sets for each response"),
        ("headers = { content-LENGTH = \"1\" }", "sets for each response"),
        ("headers = { Mooring-Pin = \"pin\" }", "sets for each response"),
        ("headers = \"X-A: b\"", "a table is needed here"),
        ("redirect = \"http\"", "needs \"https\""),
        ("redirect = true", "needs \"https\""),
        (
            "redirect = \"https\"\n[[listen.tls]]\ncertificate = \"a\"\nkey = \"b\"",
            "on a listener that has TLS itself"
        ),
        ("request_id = \"no\"", "needs true or false"),
    ])
    func `what could break a response is refused`(line: String, problem: String) {
        let found = problems(listening(line))
        #expect(found.count == 1 && found.first?.contains(problem) == true, "\(found)")
    }

    @Test(arguments: [
        ("errors = { 200 = \"a.html\" }", "needs one of 408, 413"),
        ("errors = { busy = \"a.html\" }", "needs one of 408, 413"),
        ("errors = { 503 = \"\" }", "is empty"), ("errors = { 503 = 1 }", "needs a text"),
    ])
    func `a page is a file for a status of Mooring's own`(line: String, problem: String) {
        let found = problems("[group.a]\nwsgi = \"a\"\n\(line)\n")
        #expect(found.count == 1 && found.first?.contains(problem) == true, "\(found)")
    }
}
