internal import Backends
internal import ConfigFile
internal import SessionAffinity
internal import Settings
internal import Testing

/// Every key, given and understood.
@Suite struct SectionTests {
    @Test func `listeners are read in order`() throws {
        let text = """
            [[listen]]
            address = "0.0.0.0:80"
            [[listen]]
            address = "[::1]:0"
            [[listen]]
            address = "unix:/run/m.sock"

            """
        #expect(
            try read(text + someGroup).addresses == [
                .tcp(host: "0.0.0.0", port: 80), .tcp(host: "::1", port: 0),
                .unix(path: "/run/m.sock"),
            ])
    }

    @Test func `timeouts and limits are read`() throws {
        let text = """
            workers = 3
            [timeouts]
            header = "500ms"
            body_idle = "1s"
            keepalive = "2m"
            connect = "3s"
            response = "2h"
            idle = "4s"
            drain = "0"
            [limits]
            request_head = "64KiB"
            request_body = "2GiB"
            connections = 7
            buffer_memory = "96MiB"

            """
        let configuration = try read(text + someGroup)
        #expect(configuration.workers == 3)
        #expect(configuration.timeouts.header == .milliseconds(500))
        #expect(configuration.timeouts.bodyIdle == .seconds(1))
        #expect(configuration.timeouts.keepalive == .seconds(120))
        #expect(configuration.timeouts.connect == .seconds(3))
        #expect(configuration.timeouts.route.response == .seconds(7200))
        #expect(configuration.timeouts.route.idle == .seconds(4))
        #expect(configuration.timeouts.drain == .zero)
        #expect(configuration.limits.requestHead == 65536)
        #expect(configuration.limits.requestBody == 2 << 30)
        #expect(configuration.limits.connections == 7)
        #expect(configuration.limits.bufferMemory == 96 << 20)
    }

    @Test(arguments: [
        ("stderr", AccessLogSettings.Destination.standardError), ("off", .off),
        ("/var/log/m.log", .file(path: "/var/log/m.log")),
        ("log/m.log", .file(path: "/srv/app/log/m.log")),
    ])
    func `the access log goes where it is sent`(
        text: String, access: AccessLogSettings.Destination
    ) throws {
        let log = try read(
            "[log]\nlevel = \"debug\"\nformat = \"json\"\naccess = \"\(text)\"\n" + someGroup
        ).log
        #expect(log.access.destination == access)
        #expect(log.level == .debug && log.format == .json)
    }

    @Test(arguments: [
        ("", AccessLogSettings.Format.mooring), ("format = \"json\"\n", .json),
        ("access_format = \"combined\"\n", .combined),
        ("format = \"json\"\naccess_format = \"mooring\"\n", .mooring),
    ])
    func `the access log is JSON where the log is, unless set otherwise`(
        text: String, format: AccessLogSettings.Format
    ) throws {
        #expect(try read("[log]\n" + text + someGroup).log.access.format == format)
    }

    @Test func `the form of the log is known although the rest of the file is wrong`() {
        let text = "wrong = 1\n[log]\nformat = \"json\"\nlevel = \"error\"\n[group.a]\nwsgi = 7\n"
        let log = ConfigurationReader.readLog(text: text)
        #expect(log?.format == .json && log?.level == .error)
        #expect(ConfigurationReader.readLog(text: "[log\n") == nil)
    }

    @Test func `the admin address may be in the runtime folder`() throws {
        let text = "runtime_dir = \"run\"\n[admin]\naddress = \"unix:{runtime_dir}/a.sock\"\n"
        let admin = try read(text + someGroup).admin
        #expect(admin.address == .unix(path: "/srv/app/run/a.sock"))
        #expect(admin.tokenFile == nil)
    }

    @Test func `a public admin address comes with a token file`() throws {
        let text = "[admin]\naddress = \"10.0.0.1:9000\"\ntoken_file = \"token\"\n"
        let admin = try read(text + someGroup).admin
        #expect(admin.address == .tcp(host: "10.0.0.1", port: 9000))
        #expect(admin.tokenFile == "/srv/app/token")
    }

    @Test func `keys are in the state folder unless they are put elsewhere`() throws {
        let state = "state_dir = \"/state\"\n"
        #expect(try read(state + someGroup).keysFile == "/state/session.keys")
        let keys = state + "[affinity]\nkeys = \"{state_dir}/deep/k\"\n"
        #expect(try read(keys + someGroup).keysFile == "/state/deep/k")
        let own = state + "[affinity]\nkeys = \"k\"\n"
        #expect(try read(own + someGroup).keysFile == "/srv/app/k")
    }

    @Test func `a route's affinity stands over its group's, and that over the top`() throws {
        let text = """
            [affinity]
            cookie = "top"
            pin = "never"
            max_age = "1h"
            idle = "5m"
            unconfirmed = "2m"
            [group.a]
            wsgi = "a"
            affinity = { cookie = "group", pin = "app", on_lost = "refuse", idle = "9m", unconfirmed = "3m" }
            [group.b]
            wsgi = "b"
            [routes]
            "/" = "b"
            "/a" = "a"
            "/r" = { group = "a", affinity = { cookie = "route" } }
            """
        let configuration = try read(text)
        let affinities = configuration.routes.map(\.affinity)
        #expect(affinities.map(\.cookie.name) == ["top", "group", "route"])
        #expect(affinities.map(\.pin) == [.never, .app, .app])
        #expect(affinities.map(\.maxAgeSeconds) == [3600, 3600, 3600])
        #expect(configuration.groups.map(\.policy.onLost) == [.refuse, .reassign])
        #expect(configuration.groups.map(\.policy.sessionIdle) == [.seconds(540), .seconds(300)])
        #expect(configuration.groups.map(\.policy.unconfirmed) == [.seconds(180), .seconds(120)])
    }

    @Test func `every cookie attribute is read`() throws {
        let text = """
            [affinity]
            pin = "app"
            learn = ["sessionid", "sid"]
            same_site = "none"
            secure = "always"
            http_only = false
            partitioned = true
            domain = ".Example.org"
            forward_cookie = true

            """
        let affinity = try read(text + someGroup).affinity
        #expect(affinity.learn == ["sessionid", "sid"])
        #expect(affinity.cookie.sameSite == .none && affinity.cookie.secure == .always)
        #expect(!affinity.cookie.httpOnly && affinity.cookie.partitioned)
        #expect(affinity.cookie.domain == "example.org" && affinity.forwardCookie)
    }
}
