internal import Routing
internal import TestSupport
internal import Testing

/// Matching against a naive model: split, decode, compare, sort.
@Suite struct RouteModelTests {
    static let hosts = ["", "a.org", "b.org"]
    static let prefixes = ["/", "/a", "/a/b", "/b", "/ab", "/a/b/c"]
    static let pieces = ["/", "a", "b", "c", "%61", "%2F", "%", "?", ".", "%62", ";", "%3b"]

    @Test func `matching equals the model`() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<4000 {
            let routes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                Route(
                    host: Self.pick(Self.hosts, &generator),
                    prefix: Self.pick(Self.prefixes, &generator), group: 0)
            }
            let host = Self.pick(Self.hosts, &generator)
            let count = Int.random(in: 0...7, using: &generator)
            let path = "/" + (0..<count).map { _ in Self.pick(Self.pieces, &generator) }.joined()
            let hostBytes = Array((host.uppercased() + ":80").utf8)
            let pathBytes = Array(path.utf8)
            let found = RouteTable(routes).match(host: hostBytes.span, path: pathBytes.span)
            #expect(found == Self.model(routes, host, path), "\(routes) \(host) \(path)")
        }
    }

    @Test func `any bytes are matched without harm`() {
        var generator = SeededGenerator(seed: 2)
        let table = RouteTable([
            Route(host: "a.org", prefix: "/", group: 0), Route(prefix: "/a", group: 0),
        ])
        for _ in 0..<5000 {
            let host = Self.bytes(&generator)
            let path = Self.bytes(&generator)
            if RequestPath.form(of: path.span) == .dotted {
                let resolved = RequestPath.resolved(path.span)
                #expect(resolved.count < path.count && resolved.first == path.first)
            }
            guard let route = table.match(host: host.span, path: path.span) else { continue }
            #expect(table.prefixLength(of: route, in: path.span) <= path.count)
        }
    }

    private static func pick(_ list: [String], _ generator: inout SeededGenerator) -> String {
        list[Int.random(in: 0..<list.count, using: &generator)]
    }

    private static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...12, using: &generator)).map { _ in
            Bool.random(using: &generator)
                ? UInt8.random(in: 0...255, using: &generator)
                : Array("/%a2F.[]:?;".utf8)[Int.random(in: 0..<11, using: &generator)]
        }
    }

    private static func model(_ routes: [Route], _ host: String, _ path: String) -> Int? {
        let plain = path.prefix { $0 != "?" }
            .replacing("%61", with: "a").replacing("%62", with: "b").replacing("%2F", with: "/")
        let segments = plain.replacing("%3b", with: ";").split(separator: "/")
            .map { String($0.prefix { $0 != ";" }) }.filter { !$0.isEmpty }
        let fitting = routes.indices.filter { index in
            let own = routes[index].prefix.split(separator: "/").map(String.init)
            return (routes[index].host.isEmpty || routes[index].host == host)
                && segments.starts(with: own)
        }
        return fitting.max { left, right in
            let one = routes[left]
            let other = routes[right]
            if one.host.isEmpty != other.host.isEmpty { return one.host.isEmpty }
            if one.prefix.count != other.prefix.count {
                return one.prefix.count < other.prefix.count
            }
            return left > right
        }
    }
}
