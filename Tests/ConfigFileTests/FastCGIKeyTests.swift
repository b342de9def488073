internal import Backends
internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct FastCGIKeyTests {
    private func group(_ keys: String) throws -> Configuration.Group {
        try #require(try read("[group.app]\nprotocol = \"fastcgi\"\n\(keys)\n").groups.first)
    }

    @Test func `every key of fastcgi is read`() throws {
        let group = try group(
            """
            servers = ["unix:/run/php.sock"]
            fastcgi = { root = "www", index = "start.php5", script = "app.php", env = { A = "b" } }
            """)
        #expect(group.upstreamProtocol == .fastcgi)
        #expect(group.fastCGI.root == "/srv/app/www" && group.fastCGI.index == "start.php5")
        #expect(group.fastCGI.script == "/srv/app/www/app.php")
        #expect(group.fastCGI.parameters == ["A": "b"] && !group.fastCGI.findsScripts)
        #expect(group.policy.threads == 100)
    }

    @Test(arguments: [
        ("script = \"x/a.php\"", "/srv/app/x/a.php"), ("script = \"/srv/x/a.php\"", "/srv/x/a.php"),
        ("root = \"/w\", script = \"/a.php\"", "/w/a.php"),
        ("root = \"/w\", script = \"/w/./a.php\"", "/w/a.php"),
        ("root = \"/\", script = \"a.php\"", "/a.php"),
    ])
    func `a script is below the root where there is one`(_ keys: String, _ file: String) throws {
        let group = try group("servers = [\"10.0.0.7:9000\"]\nfastcgi = { \(keys) }")
        #expect(group.fastCGI.script == file)
    }

    @Test func `php-cgi has one thread, and is warned of more`() throws {
        #expect(try group("command = [\"/usr/bin/php-cgi8.2\", \"-q\"]").policy.threads == 1)
        #expect(try group("command = [\"./app\"]").policy.threads == 100)
        let text = "[group.app]\nprotocol = \"fastcgi\"\ncommand = [\"php-cgi\"]\nthreads = 5\n"
        #expect(
            try read(text).warnings.contains { $0.contains("php-cgi serves one request at a time") }
        )
        let http = try read("[group.app]\ncommand = [\"php-cgi\"]\nthreads = 5\n")
        #expect(!http.warnings.contains { $0.contains("php-cgi") })
    }

    static let bad = [
        ("servers = [\"https://10.0.0.7\"]", "group.app.servers: has https://"),
        ("wsgi = \"a.py\"", "group.app.protocol: is \"fastcgi\", which no server"),
        ("servers = [\"10.0.0.7:1\"]\nhealth = { path = \"/h\" }", "group.app.health: has a path"),
        (
            "command = [\"php-cgi\"]\nenv = { PHP_FCGI_CHILDREN = \"4\" }",
            "env: names PHP_FCGI_CHILDREN"
        ),
        ("command = [\"php-cgi\"]\npass_env = [\"PHP_FCGI_CHILDREN\"]", "names PHP_FCGI_CHILDREN"),
        (
            "command = [\"a\"]\nfastcgi = { index = \"php\" }",
            "needs the name of a file with an ending"
        ),
        ("command = [\"a\"]\nfastcgi = { index = \"a/b.php\" }", "needs the name of a file"),
        ("command = [\"a\"]\nfastcgi = { index = \".php\" }", "needs the name of a file"),
        ("command = [\"a\"]\nfastcgi = { roots = \"/a\" }", "did you mean root?"),
        ("command = [\"a\"]\nfastcgi = { env = { A = 1 } }", "is not a text"),
    ]

    @Test(arguments: bad) func `what does not go with FastCGI is told`(
        _ keys: String, _ expected: String
    ) {
        let found = problems("[group.app]\nprotocol = \"fastcgi\"\n\(keys)\n")
        #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }

    @Test func `fastcgi means nothing to HTTP`() {
        let found = problems("[group.app]\ncommand = [\"a\"]\nfastcgi = { root = \"/a\" }\n")
        #expect(
            found.count == 1 && found[0].contains("with protocol = \"fastcgi\" only"), "\(found)")
    }

    @Test func `the protocol is what a process is started with, its scripts are not`() throws {
        func fingerprint(_ keys: String) throws -> String? {
            try read("[group.app]\ncommand = [\"a\"]\nthreads = 1\n\(keys)").groups.first?
                .launchFingerprint(environment: [:])
        }
        #expect(try fingerprint("protocol = \"http\"") == fingerprint(""))
        let plain = try fingerprint("protocol = \"fastcgi\"")
        #expect(plain != (try fingerprint("")))
        #expect(try fingerprint("protocol = \"fastcgi\"\nfastcgi = { root = \"/a\" }") == plain)
    }
}
