internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct RoundTripTests {
    @Test func `a file with the same keys on other lines is the same configuration`() throws {
        let moved = try read("# A comment,\n# or two.\n" + Self.full)
        #expect(try read(Self.full) == moved)
    }

    static let full = """
        state_dir = "/state \\"x\\""
        runtime_dir = "run"
        workers = 2
        spawn_concurrency = 3
        max_processes = 40
        [[listen]]
        address = "[::]:443"
        proxy_protocol = true
        trusted_proxies = ["10.0.0.0/8", "::1", "unix"]
        client_ca = "clients.pem"
        request_id = false
        headers = { X-Frame-Options = "DENY", Server = "" }
        traceparent = false
        [[listen.tls]]
        certificate = "a.pem"
        key = "keys/a.pem"
        [[listen.tls]]
        certificate = "/etc/b.pem"
        key = "/etc/b.key"
        [[listen]]
        address = "fd:http"
        redirect = "https"
        http2 = false
        [[listen]]
        address = "unix:/run/m\\t.sock"
        [timeouts]
        header = "1500ms"
        drain = "0"
        tunnel = "2h"
        [limits]
        request_body = "1025KiB"
        request_buffer = "0"
        response_buffer = "1MiB"
        spawns_per_source = 0
        min_rate = 1000
        [log]
        access = "logs/access.log"
        format = "json"
        access_format = "combined"
        [admin]
        address = "[::1]:9000"
        token_file = "token"
        read_token_file = "read"
        metrics_open = true
        [affinity]
        pin = "app"
        learn = ["sid"]
        secure = "always"
        same_site = "none"
        domain = "example.org"
        keys = "keys"
        max_age = "90s"
        [group.web]
        command = ["./app", "--uds", "{socket}", "{\\"a\\": 1}", ""]
        processes = { min = 0, max = 8, spare = 2 }
        drain_timeout = "90s"
        max_requests = 1000
        draining_max = 3
        max_age = "12h"
        max_memory = "512MiB"
        request_timeout = "45s"
        tunnel_slots = true
        on_exit = "kill"
        output = "logs/web.log"
        user = "www-data"
        group = "media"
        groups = ["video", "44"]
        umask = "0027"
        rlimits = { nofile = 4096, as = "2GiB", core = "unlimited" }
        health = { path = "/healthz", interval = "500ms", timeout = "200ms", rise = 1, fall = 5 }
        errors = { 503 = "busy.html", 504 = "/x/late.html" }
        env = { A = "x\\ny \\u001b \\\\", B = "" }
        pass_env = ["LC_ALL"]
        timeouts = { idle = "1h" }
        affinity = { pin = "always", on_lost = "refuse", idle = "45s", unconfirmed = "9s" }
        [group.ext]
        servers = ["10.0.0.7:80", "https://10.0.0.8:443", { address = "https://10.0.0.9:8443", server_name = "app.example.org", ca = "ca.pem", verify = false }, { address = "unix:/a b", weight = 256 }]
        threads = 100000
        [group.lone]
        wsgi = "a.b:c"
        [routes]
        "/" = "web"
        "Example.org/App/" = { group = "ext", strip_prefix = true, affinity = { cookie = "x" }, timeouts = { tunnel = "8h" }, headers = { X-A = "\\"a\\" b" }, errors = { 502 = "gone.html" } }
        """

    @Test(arguments: [full, DefaultsTests.example, someGroup])
    func `what is printed reads back to the same configuration`(text: String) throws {
        let configuration = try read(text)
        let printed = configuration.text(showsEnvironment: true)
        let again = ConfigurationReader.read(
            text: printed, file: "printed.toml", folder: "/elsewhere", environment: [:],
            isRoot: false)
        #expect(try again.get() == configuration)
        #expect(try again.get().text(showsEnvironment: true) == printed)
    }

    @Test func `the printed configuration shows no value of env`() throws {
        let text = "[group.a]\nwsgi = \"a\"\nenv = { SECRET_KEY = \"s3cret\" }\n"
        let printed = try read(text).tomlText
        #expect(printed.contains("SECRET_KEY = \"***\"") && !printed.contains("s3cret"))
    }
}
