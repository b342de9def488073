internal import ConfigFile
internal import Testing

@Suite struct RoundTripTests {
    static let full = """
        state_dir = "/state \\"x\\""
        runtime_dir = "run"
        workers = 2
        [[listen]]
        address = "[::]:443"
        [[listen]]
        address = "unix:/run/m\\t.sock"
        [timeouts]
        header = "1500ms"
        drain = "0"
        [limits]
        request_body = "1025KiB"
        [log]
        access = "logs/access.log"
        format = "json"
        [admin]
        address = "[::1]:9000"
        token_file = "token"
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
        processes = { min = 0, max = 8 }
        env = { A = "x\\ny \\u001b \\\\", B = "" }
        pass_env = ["LC_ALL"]
        affinity = { pin = "always", on_lost = "refuse", idle = "45s" }
        [group.ext]
        servers = ["10.0.0.7:80", { address = "unix:/a b", weight = 256 }]
        threads = 100000
        [group.lone]
        wsgi = "a.b:c"
        [routes]
        "/" = "web"
        "Example.org/App/" = { group = "ext", strip_prefix = true, affinity = { cookie = "x" } }
        """

    @Test(arguments: [full, DefaultsTests.example, someGroup])
    func `what is printed reads back to the same configuration`(text: String) throws {
        let configuration = try read(text)
        let printed = configuration.text(showsEnvironment: true)
        let again = ConfigurationReader.read(
            text: printed, file: "printed.toml", folder: "/elsewhere", environment: [:],
            isRoot: true)
        #expect(try again.get() == configuration)
        #expect(try again.get().text(showsEnvironment: true) == printed)
    }

    @Test func `the printed configuration shows no value of env`() throws {
        let text = "[group.a]\nwsgi = \"a\"\nenv = { SECRET_KEY = \"s3cret\" }\n"
        let printed = try read(text).tomlText
        #expect(printed.contains("SECRET_KEY = \"***\"") && !printed.contains("s3cret"))
    }
}
