internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct LaunchFingerprintTests {
    private func fingerprint(
        _ lines: String, environment: [String: String] = ["PATH": "/bin"]
    ) throws -> String? {
        try read("[group.app]\ncommand = [\"./app\", \"{socket}\"]\n\(lines)\n")
            .groups.first?.launchFingerprint(environment: environment)
    }

    /// Worked out by hand in another language: state files of earlier runs hold it.
    @Test func `a launch has one fingerprint in every run of the program`() throws {
        #expect(try fingerprint("threads = 1") == "5d5017deb7128e5f")
    }

    /// The same: the positions of all that a process is started with.
    @Test func `a launch with everything has one too`() throws {
        let text = """
            [group.web]
            wsgi = "mysite/wsgi.py"
            server = "gunicorn"
            python = ".venv/bin/python"
            processes = 2
            cwd = "/srv/web"
            user = "www-data"
            group = "media"
            groups = ["video", "44"]
            umask = "027"
            rlimits = { nofile = 4096, as = "2GiB", core = "unlimited" }
            on_exit = "kill"
            """
        let group = try #require(try read(text).groups.first)
        let environment = ["PATH": "/bin", "A": "b", "C": ""]
        #expect(group.launchFingerprint(environment: environment) == "581e6706bf0d6a30")
        let plain = try #require(try read(someGroup).groups.first)
        #expect(plain.launchFingerprint(environment: ["PATH": "/bin"]) == "241d2fe76cef5419")
    }

    @Test(arguments: [
        "threads = 2", "processes = 1", "cwd = \"/srv/other\"", "user = \"www-data\"",
        "user = \"www-data\"\ngroup = \"media\"", "user = \"www-data\"\ngroups = [\"media\"]",
        "umask = \"027\"", "rlimits = { nofile = 64 }", "rlimits = { nofile = \"unlimited\" }",
        "on_exit = \"kill\"",
    ])
    func `what a process is started with makes another`(lines: String) throws {
        #expect(try fingerprint(lines) != fingerprint(""))
    }

    @Test func `another program, environment or name makes another`() throws {
        let plain = try fingerprint("")
        #expect(try fingerprint("", environment: ["PATH": "/sbin"]) != plain)
        #expect(try fingerprint("", environment: ["PATH": "/bin", "A": ""]) != plain)
        for text in [
            "[group.app]\ncommand = [\"./ap\", \"p{socket}\"]\n",
            "[group.app]\ncommand = [\"./app\", \"{port}\"]\n",
            "[group.web]\ncommand = [\"./app\", \"{socket}\"]\n", someGroup,
        ] {
            let group = try #require(try read(text).groups.first)
            #expect(group.launchFingerprint(environment: ["PATH": "/bin"]) != plain, "\(text)")
        }
    }

    @Test(arguments: [
        "queue = 5", "queue_timeout = \"1s\"", "drain_timeout = \"5m\"", "max_requests = 9",
        "draining_max = 2",
        "max_age = \"1h\"", "max_memory = \"1GiB\"", "request_timeout = \"5s\"",
        "output = \"app.log\"", "health = { path = \"/\" }", "tunnel_slots = true",
        "affinity = { idle = \"5m\" }", "retries = 0", "allow_root = true",
    ])
    func `what holds for running processes too makes no other`(lines: String) throws {
        #expect(try fingerprint(lines) == fingerprint(""))
    }

    @Test func `how many there are is nothing that one of them is started with`() throws {
        #expect(try fingerprint("processes = 2") == fingerprint("processes = { min = 1, max = 9 }"))
    }

    @Test func `external servers have none`() throws {
        let group = try #require(try read(someExternal).groups.first)
        #expect(group.launchFingerprint(environment: [:]) == nil)
    }
}
