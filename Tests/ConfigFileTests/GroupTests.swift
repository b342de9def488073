internal import Backends
internal import ConfigFile
internal import Routing
internal import Testing

@Suite struct GroupTests {
    func group(_ keys: String) throws -> Configuration.Group {
        try #require(try read("[group.app]\n\(keys)\n").groups.first)
    }

    @Test func `every key of a spawned group is read`() throws {
        let group = try group(
            """
            wsgi = "site:app"
            server = "gunicorn"
            python = ".venv/bin/python"
            processes = { min = 0, max = 4 }
            threads = 7
            sessions_per_process = 1
            placement = "spread"
            queue = 0
            process_queue = 2
            queue_timeout = "3s"
            idle_timeout = "4s"
            start_timeout = "5s"
            stop_timeout = "6s"
            retries = 0
            cwd = "web"
            env = { DEBUG = "1" }
            pass_env = ["DATABASE_URL"]
            keepalive = false
            """)
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum, policy.threads) = (0, 4, 7)
        policy.sessionsPerProcess = 1
        policy.placement = .spread
        (policy.queueLimit, policy.processQueueLimit) = (0, 2)
        policy.queueTimeout = .seconds(3)
        policy.idleTimeout = .seconds(4)
        policy.startTimeout = .seconds(5)
        policy.stopTimeout = .seconds(6)
        #expect(group.policy == policy)
        #expect(group.retries == 0 && !group.keepalive)
        let launch = try #require(group.launch)
        var application = Configuration.HostedApplication(.wsgi, "site:app")
        (application.server, application.python) = (.gunicorn, ".venv/bin/python")
        #expect(launch.application == .hosted(application))
        #expect(launch.processesGiven)
        #expect(launch.directory == "/srv/app/web")
        #expect(launch.environment == ["DEBUG": "1"])
        #expect(launch.passEnvironment == ["DATABASE_URL"])
    }

    @Test func `a command keeps its words, and braces that are no placeholder`() throws {
        let words = #"command = ["./app", "--uds={socket}", "{\"a\": {}}", "{threads}", ""]"#
        let group = try group(words)
        let expected = ["./app", "--uds={socket}", "{\"a\": {}}", "{threads}", ""]
        #expect(group.launch?.application == .command(expected))
        #expect(group.policy.threads == 100)
    }

    @Test func `placeholders may stand in env, also for the port`() throws {
        let launch = try group(
            """
            command = ["./app"]
            env = { PORT = "{port}", LISTEN = "127.0.0.1:{port}", FORMAT = "{time} {level}" }
            """
        ).launch
        #expect(
            launch?.environment == [
                "PORT": "{port}", "LISTEN": "127.0.0.1:{port}", "FORMAT": "{time} {level}",
            ])
    }

    @Test func `servers are addresses with weights`() throws {
        let group = try group(
            """
            servers = ["10.0.0.7:8000", "unix:/run/a.sock", { address = "[::1]:80", weight = 2 }]
            """)
        #expect(
            group.policy.kind
                == .external([
                    .init(address: .tcp(host: "10.0.0.7", port: 8000)),
                    .init(address: .unix(path: "/run/a.sock")),
                    .init(address: .tcp(host: "::1", port: 80), weight: 2),
                ]))
        #expect(group.launch == nil)
        #expect(group.policy.minimum == 3 && group.policy.maximum == 3)
        #expect(group.policy.threads == 100)
    }

    @Test(arguments: [
        ("processes = 1", true, 1, 1), ("processes = 3", true, 3, 3), ("", false, 1, 1),
        ("processes = { max = 2 }", true, 0, 2), ("processes = { min = 2, max = 2 }", true, 2, 2),
    ])
    func `it is known whether processes was given`(
        text: String, isGiven: Bool, least: Int, most: Int
    ) throws {
        let group = try group("wsgi = \"a\"\n\(text)")
        #expect(group.launch?.processesGiven == isGiven)
        #expect(group.policy.minimum == least && group.policy.maximum == most)
    }

    @Test(arguments: [
        ("processes = 2", GroupPolicy.Placement.auto),
        ("processes = { min = 1, max = 2 }", .auto),
        ("processes = { min = 1, max = 2 }\nplacement = \"auto\"", .auto),
        ("processes = { min = 1, max = 2 }\nplacement = \"spread\"", .spread),
        ("processes = 2\nplacement = \"pack\"", .pack),
    ])
    func `the placement is auto unless the file sets it`(
        text: String, placement: GroupPolicy.Placement
    ) throws {
        #expect(try group("wsgi = \"a\"\n\(text)").policy.placement == placement)
    }

    @Test func `an ASGI application has a hundred requests at once, and servers of its own`() throws
    {
        let group = try group("asgi = \"site:app\"\nserver = \"hypercorn\"")
        var application = Configuration.HostedApplication(.asgi, "site:app")
        application.server = .hypercorn
        #expect(group.launch?.application == .hosted(application))
        #expect(group.policy.threads == 100)
        let found = [("asgi", "gunicorn"), ("wsgi", "uvicorn")].map { key, server in
            problems("[group.a]\n\(key) = \"a\"\nserver = \"\(server)\"")
        }
        #expect(
            found == [
                [
                    "mooring.toml:3: group.a.server: is \"gunicorn\"; needs one of \"auto\","
                        + " \"uvicorn\", \"granian\", \"hypercorn\" (did you mean \"uvicorn\"?)"
                ],
                [
                    "mooring.toml:3: group.a.server: is \"uvicorn\"; needs one of \"auto\","
                        + " \"granian\", \"gunicorn\", \"waitress\", \"wsgiref\" (did you mean \"gunicorn\"?)"
                ],
            ])
    }

    @Test func `a group without a route is a warning and no error`() throws {
        let text = "[group.a]\nwsgi = \"a\"\n[group.b]\nwsgi = \"b\"\n[routes]\n\"/\" = \"a\"\n"
        #expect(
            try read(text).warnings == [
                "group.b: no route leads to it; add one under [routes], or take the group out"
            ])
    }

    @Test func `groups and routes keep the order of the file`() throws {
        let text = """
            [group.z]
            wsgi = "z"
            [group.a]
            wsgi = "a"
            [routes]
            "/z" = "z"
            "/" = "a"
            """
        let configuration = try read(text)
        #expect(configuration.groups.map(\.name) == ["z", "a"])
        #expect(configuration.routes.map(\.pattern.prefix) == ["/z", "/"])
        #expect(configuration.routes.map(\.group) == [0, 1])
    }
}
