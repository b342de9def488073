internal import Backends
internal import Glibc
internal import Reactor
internal import Testing

@testable internal import Supervision

@Suite struct FastCGILaunchTests {
    private func spec(
        _ command: [String], environment: [String: String] = [:]
    ) -> LaunchSpec {
        var spec = LaunchSpec(
            command: command, directory: "/srv", environment: environment, threads: 1,
            multiprocess: true, groupName: "php")
        spec.speaksFastCGI = true
        return spec
    }

    @Test func `a program that names no place finds its socket as descriptor 0`() {
        #expect(spec(["php-cgi"]).listening == .inherited)
        #expect(spec(["app", "{socket}"]).listening == .socket)
        #expect(spec(["app", "{port}"]).listening == .port)
        #expect(spec(["/usr/sbin/php-fpm8.2", "-F"]).listening == .socket, "it makes its own")
    }

    @Test func `PHP does not end by itself, unless that is asked for`() {
        func limit(_ environment: [String: String]) -> [String] {
            spec(["php-cgi"], environment: environment)
                .environmentEntries(ListeningEndpoint(inheritedAt: "/s"), label: "x")
                .filter { $0.hasPrefix("PHP_FCGI_MAX_REQUESTS") }
        }
        #expect(limit([:]) == ["PHP_FCGI_MAX_REQUESTS=0"])
        #expect(limit(["PHP_FCGI_MAX_REQUESTS": "9"]) == ["PHP_FCGI_MAX_REQUESTS=9"])
    }

    /// Before that its socket takes connections, and nobody is there.
    @Test func `it is ready when it has taken a connection`() throws {
        let path = "/tmp/m-inherited-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let listener = try ListeningSocket(try .unix(path))
        defer { listener.close() }
        var probe = ReadinessProbe(endpoint: ListeningEndpoint(inheritedAt: path), now: 0)
        guard case .waits(let socket) = probe.attempt(now: 1) else {
            Issue.record("it is not known yet whether it takes connections")
            return
        }
        #expect(probe.settle(now: 2) == .notYet)
        guard case .connection(let taken, _) = listener.accept() else {
            Issue.record("a connection has been made")
            return
        }
        #expect(probe.settle(now: 3) == .notYet, "it has not been looked at")
        taken.close()
        #expect(!socket.isSilent)
        #expect(probe.settle(now: 4) == .accepts(.unix(path: path)))
    }

    @Test func `one that keeps silent connections is taken for ready after a while`() throws {
        let path = "/tmp/m-silent-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let listener = try ListeningSocket(try .unix(path))
        defer { listener.close() }
        var probe = ReadinessProbe(endpoint: ListeningEndpoint(inheritedAt: path), now: 0)
        var outcome = probe.attempt(now: 1)
        for turn in 2..<9 {
            guard case .waits = outcome else {
                Issue.record("turn \(turn): \(outcome)")
                return
            }
            outcome = probe.attempt(now: Int64(turn))
        }
        #expect(probe.attempt(now: 9) == .accepts(.unix(path: path)))
    }
}
