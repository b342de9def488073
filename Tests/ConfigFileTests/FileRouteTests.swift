internal import ConfigFile
internal import Testing

@Suite struct FileRouteTests {
    private static func routes(_ lines: String) -> String {
        someGroup + "[routes]\n\"/\" = \"app\"\n" + lines + "\n"
    }

    @Test func `a route to files has a folder, and no group`() throws {
        let configuration = try read(
            Self.routes(
                """
                "/static" = { files = "static", compress = true, errors = { 404 = "no.html" } }
                "/.well-known/acme-challenge" = { files = "/srv/acme" }
                """))
        let routes = configuration.routes
        #expect(routes.map(\.group) == [0, nil, nil])
        #expect(routes.map(\.files?.path) == [nil, "/srv/app/static", "/srv/acme"])
        #expect(routes.map(\.compress) == [false, true, false])
        #expect(routes[1].errors.map(\.status) == [404])
        #expect(configuration.warnings.isEmpty)
    }

    @Test func `a route to files is printed as it is read`() throws {
        let configuration = try read(
            Self.routes("\"/s\" = { files = \"s\", compress = true, headers = { X-A = \"b\" } }"))
        let text = configuration.text(showsEnvironment: false)
        #expect(text.contains("\"/s\" = { files = \"/srv/app/s\", compress = true"), "\(text)")
        #expect(try read(text).routes == configuration.routes)
    }

    @Test(arguments: [
        ("group = \"app\"", "group: cannot stand beside files; keep one of the two"),
        ("strip_prefix = true", "strip_prefix: cannot stand beside files"),
        ("affinity = { pin = \"never\" }", "affinity: cannot stand beside files"),
        ("timeouts = { idle = \"1s\" }", "timeouts: cannot stand beside files"),
        ("errors = { 502 = \"a.html\" }", "needs one of 403, 404"),
        ("compress = 1", "needs true or false"),
        ("fles = \"x\"", "unknown key"),
    ])
    func `what means nothing for files is refused`(key: String, told: String) {
        let found = problems(Self.routes("\"/s\" = { files = \"s\", \(key) }"))
        #expect(found.count == 1)
        #expect(found.first?.contains(told) == true, "\(found)")
    }

    @Test func `a folder has to be named, and compress needs files`() {
        #expect(problems(Self.routes("\"/s\" = { files = \"\" }"))[0].contains("is empty"))
        #expect(problems(Self.routes("\"/s\" = { files = 1 }"))[0].contains("needs a text"))
        #expect(
            problems(Self.routes("\"/s\" = { group = \"app\", compress = true }"))[0]
                .contains("compress: is for files; take it out"))
        #expect(
            problems(Self.routes("\"/s\" = { headers = {} }"))[0].contains("{ files = \"FOLDER\" }")
        )
    }
}
