internal import Backends
internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct RouteTimeoutTests {
    private static let text = """
        [timeouts]
        response = "2s"
        idle = "3s"
        [group.app]
        wsgi = "app.wsgi"
        timeouts = { idle = "1h" }
        [group.other]
        servers = ["10.0.0.7:80"]
        [routes]
        "/" = "app"
        "/events" = { group = "app", timeouts = { response = "5m", tunnel = "8h" } }
        "/other" = { group = "other" }
        """

    @Test func `a route's own counts before its group's, and that before the file's`() throws {
        let routes = try read(Self.text).routes.map(\.timeouts)
        #expect(routes.map(\.response) == [.seconds(2), .seconds(300), .seconds(2)])
        #expect(routes.map(\.idle) == [.seconds(3600), .seconds(3600), .seconds(3)])
        #expect(routes.map(\.tunnel) == [.seconds(3600), .seconds(8 * 3600), .seconds(3600)])
    }

    @Test func `a group without routes has its own too`() throws {
        let route = try read(someGroup + "timeouts = { tunnel = \"2h\" }\n").routes[0]
        #expect(route.timeouts.tunnel == .seconds(7200))
    }

    @Test(arguments: ["header", "body_idle", "keepalive", "connect", "drain"])
    func `what concerns clients is one for all`(key: String) {
        let found = problems(someGroup + "timeouts = { \(key) = \"1s\" }\n")
        #expect(
            found == [
                "mooring.toml:3: group.app.timeouts.\(key): is one for all groups and routes;"
                    + " put it under [timeouts]"
            ])
    }

    @Test func `an invalid duration or table is reported`() {
        let text = someGroup + "timeouts = { idle = 60 }\n[routes]\n\"/\" = { group = \"app\", "
        let found = problems(text + "timeouts = \"5m\" }\n")
        #expect(found.count == 2)
        #expect(found[0].contains("timeouts.idle: is the number 60; needs a duration"))
        #expect(found.last?.contains("timeouts: is \"5m\"; a table is needed") == true)
    }
}
