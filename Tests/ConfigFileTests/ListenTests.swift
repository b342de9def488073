internal import Backends
internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct ListenTests {
    @Test func `a listener offers HTTP 2 and trusts no proxy by default`() throws {
        let listener = try #require(try read(someGroup).listeners.first)
        #expect(listener.http2 && !listener.proxyProtocol)
        #expect(listener.trustedProxies.isEmpty && listener.certificates.isEmpty)
        #expect(listener.clientAuthority == nil)
    }

    @Test func `certificates are files beside the configuration, in their order`() throws {
        let text = """
            [[listen]]
            address = "0.0.0.0:443"
            [[listen.tls]]
            certificate = "a.pem"
            key = "/etc/a.key"
            [[listen.tls]]
            certificate = "b.pem"
            key = "b.key"

            """
        let listener = try #require(try read(text + someGroup).listeners.first)
        #expect(listener.certificates.map(\.certificate) == ["/srv/app/a.pem", "/srv/app/b.pem"])
        #expect(listener.certificates.map(\.key) == ["/etc/a.key", "/srv/app/b.key"])
    }

    @Test func `a socket of the service manager has a name`() throws {
        let listener = try read("[[listen]]\naddress = \"fd:web\"\n" + someGroup).listeners.first
        #expect(listener?.address == .inherited(name: "web"))
    }

    @Test(arguments: [
        ("address = \"fd:\"", "needs the FileDescriptorName= of a socket unit"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "no network; write an address"),
        ("trusted_proxies = [\"10.0.0\"]", "no network; write an address"),
        ("trusted_proxies = [\"example.org\"]", "no network; write an address"),
        ("trusted_proxies = \"10.0.0.1\"", "needs a list like [\"10.0.0.0/8\"]"),
        ("client_ca = \"ca.pem\"", "means nothing without TLS; give the listener a [[listen.tls]]"),
        ("tls = [{ certificate = \"a.pem\" }]", "has no key; needs key = \"key.pem\""),
        ("tls = { certificate = \"a\", key = \"b\" }", "is a table; needs [[listen.tls]]"),
        (
            "certificate = \"a.pem\"",
            "stands in the listener itself; move it below a [[listen.tls]]"
        ),
        ("http2 = \"yes\"", "needs true or false, without quotes"),
        ("proxy_protocl = true", "unknown key; did you mean proxy_protocol?"),
    ])
    func `a mistake in a listener is reported with the remedy`(line: String, expected: String) {
        let address = line.hasPrefix("address") ? "" : "address = \"127.0.0.1:80\"\n"
        let found = problems("[[listen]]\n\(address)\(line)\n" + someGroup)
        #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }
}

@Suite struct IsolationTests {
    private func group(_ lines: String) -> String { "[group.app]\nwsgi = \"a\"\n\(lines)\n" }

    @Test func `root has to say as whom processes run`() throws {
        switch result(of: group(""), isRoot: true) {
        case .success: Issue.record("processes would run as root without a word")
        case .failure(let found):
            #expect(found.description.contains("would run as root; add user = "), "\(found)")
        }
        #expect(throws: Never.self) { try read(group("allow_root = true"), isRoot: true) }
        #expect(throws: Never.self) { try read(group("user = \"www-data\""), isRoot: true) }
        #expect(throws: Never.self) { try read(someExternal, isRoot: true) }
    }

    @Test func `groups that run as root are reported, and no others`() throws {
        let root = try read(group("allow_root = true"), isRoot: true)
        #expect(root.warnings.contains { $0.hasPrefix("group.app: processes run as root") })
        #expect(try read(group("user = \"www-data\""), isRoot: true).warnings.isEmpty)
        #expect(try read(group("allow_root = true"), isRoot: false).warnings.isEmpty)
        #expect(try read(someExternal, isRoot: true).warnings.isEmpty)
    }

    @Test func `a command line may run its application as root`() throws {
        let request = RunRequest(.command(["./app", "{socket}"]))
        let configuration = try ConfigurationReader.read(
            request, folder: "/srv", environment: ["HOME": "/root"], isRoot: true
        ).get()
        #expect(configuration.groups.first?.launch?.isolation.allowRoot == true)
    }

    @Test func `limits are numbers, sizes or none`() throws {
        let launch = try read(
            group("rlimits = { as = \"2GiB\", nofile = 64, cpu = \"unlimited\" }")
        )
        .groups.first?.launch
        #expect(
            launch?.isolation.limits == [
                "as": .atMost(2 << 30), "nofile": .atMost(64), "cpu": .unlimited,
            ])
    }

    @Test(arguments: [
        ("umask = \"999\"", "needs an octal number from 000 to 777"),
        ("umask = 22", "needs a text like \"022\""),
        ("rlimits = { nofile = \"2GiB\" }", "needs a number or \"unlimited\""),
        ("rlimits = { nofiles = 1 }", "unknown key; did you mean nofile?"),
        ("group = \"media\"", "is given without a user; add user = "),
        ("on_exit = \"die\"", "needs one of \"adopt\", \"kill\""),
        ("health = { path = \"healthz\" }", "needs a path like \"/healthz\""),
        ("health = \"/healthz\"", "needs a table, like { path = \"/healthz\" }"),
        ("health = { interval = \"5s\" }", "has no path, so nobody is asked; needs path = "),
        ("processes = { max = 3, spare = 4 }", "needs a number from 0 to 3"),
        ("max_requests = -1", "needs a number from 0 to"),
        ("draining_max = -1", "needs a number from 0 to"),
        ("drain_timeout = 60", "needs a duration with its unit"),
    ])
    func `a mistake in a group's life is reported with the remedy`(line: String, expected: String) {
        let found = problems(group(line))
        #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }

    @Test func `what concerns processes means nothing for servers`() {
        let found = problems(someExternal + "max_requests = 5\nuser = \"ann\"\n")
        #expect(found.count == 2 && found.allSatisfy { $0.contains("means nothing for servers") })
    }

    @Test func `servers are asked by the group's health path, but for those behind https`() throws {
        let health = "health = { path = \"/up\", rise = 5 }\n"
        let plain = try read("[group.e]\nservers = [\"10.0.0.7:80\"]\n" + health)
        #expect(plain.groups.first?.policy.health?.path == "/up")
        #expect(plain.groups.first?.policy.health?.rise == 5)
        #expect(!plain.warnings.contains { $0.contains("health") })
        let secure = try read("[group.e]\nservers = [\"https://10.0.0.7\"]\n" + health).warnings
        #expect(secure.contains { $0.hasPrefix("group.e.health: servers behind https:// are not") })
        let processes = try read("[group.e]\ncommand = [\"./app\"]\n" + health).warnings
        #expect(!processes.contains { $0.contains("health") })
    }

    @Test func `a server behind https is verified under its own name`() throws {
        let text = """
            [group.ext]
            servers = ["https://10.0.0.7:443", { address = "https://10.0.0.8:443", server_name = "a" }]
            """
        let servers = try #require(try read(text).groups.first?.servers.compactMap(\.tls))
        #expect(servers.map(\.name) == ["10.0.0.7", "a"])
        #expect(servers.allSatisfy { $0.verifies && $0.authority == nil })
    }

    @Test(arguments: [
        ("https://10.0.0.7", ProcessAddress.tcp(host: "10.0.0.7", port: 443)),
        ("https://10.0.0.7:8443/", .tcp(host: "10.0.0.7", port: 8443)),
        ("https://[::1]", .tcp(host: "::1", port: 443)),
        ("https://[::1]:444", .tcp(host: "::1", port: 444)),
    ])
    func `https without a port is port 443`(text: String, expected: ProcessAddress) throws {
        let servers = try read("[group.e]\nservers = [\"\(text)\"]\n").groups.first?.servers
        #expect(servers?.map(\.address) == [expected])
        #expect(servers?.map { $0.tls == nil } == [false])
    }

    @Test(arguments: [
        ("\"https://10.0.0.7/app\"", "which has a path; needs host and port only"),
        (
            "{ address = \"https://10.0.0.7\", server_name = \"a b\" }",
            "is \"a b\", which is no host name; needs the name in the server's certificate"
        ),
    ])
    func `a mistake in a secure server is reported with the remedy`(
        server: String, expected: String
    ) {
        let found = problems("[group.e]\nservers = [\(server)]\n")
        #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }

    @Test func `TLS settings of a server in clear text are a mistake`() {
        let found = problems(
            "[group.e]\nservers = [{ address = \"10.0.0.7:80\", verify = false }]\n")
        #expect(found.count == 1 && found[0].contains("write the address as https://"), "\(found)")
    }
}
