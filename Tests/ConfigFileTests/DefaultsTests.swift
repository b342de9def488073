internal import Backends
internal import ConfigFile
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Testing

@Suite struct DefaultsTests {
    @Test func `a group alone is a whole configuration`() throws {
        let configuration = try read(someGroup)
        #expect(configuration.addresses == [.tcp(host: "127.0.0.1", port: 8080)])
        #expect(configuration.workers == 0)
        #expect(configuration.timeouts == Timeouts())
        #expect(configuration.limits == Limits())
        #expect(configuration.log == LogSettings())
        #expect(configuration.affinity == Configuration.Affinity())
        #expect(configuration.warnings == [])
    }

    @Test func `timeouts and limits are those of the manual`() {
        let timeouts = Timeouts()
        #expect(timeouts.header == .seconds(10))
        #expect(timeouts.bodyIdle == .seconds(30))
        #expect(timeouts.keepalive == .seconds(75))
        #expect(timeouts.connect == .seconds(5))
        #expect(timeouts.route.response == .seconds(60))
        #expect(timeouts.route.idle == .seconds(60))
        #expect(timeouts.drain == .seconds(30))
        let limits = Limits()
        #expect(limits.requestHead == 32768)
        #expect(limits.requestBody == 0)
        #expect(limits.connections == 10000)
        #expect(limits.bufferMemory == nil)
    }

    @Test func `a group is as in the manual`() throws {
        let group = try #require(try read(someGroup).groups.first)
        var policy = GroupPolicy(name: "app")
        policy.threads = 15
        #expect(group.policy == policy)
        #expect(group.retries == 1)
        #expect(group.keepalive)
        let launch = try #require(group.launch)
        #expect(launch.application == .hosted(.init(.wsgi, "app.wsgi")))
        #expect(!launch.processesGiven)
        #expect(launch.directory == "/srv/app")
        #expect(launch.environment == [:] && launch.passEnvironment == [])
    }

    @Test func `a session is held as in the manual`() {
        let affinity = Configuration.Affinity()
        #expect(affinity.pin == .always)
        #expect(affinity.learn == [])
        #expect(affinity.cookie.name == "mooring")
        #expect(affinity.cookie.sameSite == .lax && affinity.cookie.secure == .auto)
        #expect(affinity.cookie.httpOnly && !affinity.cookie.partitioned)
        #expect(affinity.cookie.domain == "" && !affinity.forwardCookie)
        #expect(affinity.idle == .seconds(1800))
        #expect(affinity.unconfirmed == .seconds(300))
        #expect(affinity.maxAgeSeconds == 86400)
        #expect(affinity.onLost == .reassign)
    }

    @Test func `a group alone takes all paths`() throws {
        let routes = try read(someGroup).routes
        #expect(routes.map(\.pattern) == [RoutePattern(host: "", prefix: "/")])
    }

    @Test func `the manual's first example is understood`() throws {
        let configuration = try read(Self.example)
        #expect(configuration.groups.map(\.name) == ["django", "django-admin"])
        #expect(configuration.groups.map(\.policy.minimum) == [3, 1])
        #expect(configuration.groups.map(\.policy.maximum) == [3, 1])
        #expect(configuration.groups.map(\.policy.threads) == [10, 10])
        #expect(configuration.groups.map { $0.launch?.processesGiven } == [true, true])
        let patterns = configuration.routes.map { $0.pattern.prefix }
        #expect(patterns == ["/", "/admin"])
        #expect(configuration.routes.map(\.group) == [0, 1])
        let path = Array("/admin/x".utf8)
        let host = Array("localhost".utf8)
        let route = configuration.routeTable.match(host: host.span, path: path.span)
        #expect(route == 1)
    }

    static let example = """
        [group.django]                       # the classic: 3 processes of 10 threads
        wsgi = "mysite/wsgi.py"
        processes = 3
        threads = 10

        [group.django-admin]
        wsgi = "mysite/wsgi.py"
        processes = 1
        threads = 10

        [routes]
        "/" = "django"
        "/admin" = "django-admin"            # the longest prefix wins
        """
}
