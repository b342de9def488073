internal import Backends
internal import Testing

/// How servers come and go: by commands, and by changes of the configuration.
@Suite struct ServersTests {
    private func endpoint(_ place: Int, name: String? = nil) -> ServerEndpoint {
        var server = ServerEndpoint(address: .tcp(host: "10.0.0.\(place)", port: 8000))
        server.name = name
        return server
    }

    private func reload(
        _ bench: Bench, _ servers: [ServerEndpoint],
        _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) {
        var policy = GroupPolicy(name: "django")
        policy.kind = .external(servers)
        policy.threads = 9
        configure(&policy)
        bench.group.reconfigure(policy, newGeneration: false, now: bench.now)
    }

    private func bench(
        _ count: Int, _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) -> Bench {
        Bench.external([Int](repeating: 1, count: count)) { policy in
            policy.threads = 9
            configure(&policy)
        }
    }

    private func states(_ bench: Bench) -> [ProcessSnapshot.State] {
        bench.snapshot.processes.map(\.state)
    }

    // MARK: Commands

    @Test func `a drained server keeps its sessions, gets no others and is down after the last`()
        throws
    {
        let bench = self.bench(2) { $0.sessionIdle = .seconds(100) }
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant())
        bench.group.drain(session.process, now: bench.now)
        #expect(states(bench).contains(.draining))
        for _ in 0..<3 { #expect(try bench.visit().process != session.process) }
        #expect(try bench.acquire(as: session).grant().affinity == .kept)
        let other = try #require(
            bench.snapshot.processes.first { $0.handle != session.process }?.handle)
        bench.finish(try bench.acquire(as: session).grant())
        #expect(try bench.visit().process == other)
        bench.group.drain(session.process, timeout: .seconds(5), now: bench.now)
        bench.pass(.seconds(5))
        #expect(states(bench).contains(.down))
        #expect(bench.recorder.events.contains(.out(session.process)))
        // Time does not bring it back.
        bench.pass(.seconds(86_400))
        #expect(states(bench).contains(.down))
    }

    @Test func `a stopped server loses its sessions at once and comes back by up alone`() throws {
        let bench = self.bench(2)
        let session = try bench.visit()
        bench.group.stop(session.process, now: bench.now)
        #expect(try bench.acquire(as: session).grant().affinity == .lost)
        bench.pass(.seconds(3600))
        bench.group.reset(now: bench.now)
        #expect(states(bench).contains(.down))
        bench.group.bringBack(session.process, now: bench.now)
        #expect(states(bench) == [.ready, .ready])
        #expect(bench.recorder.events.contains(.reinstated(session.process)))
    }

    @Test func `up takes a server back that still drains`() throws {
        let bench = self.bench(2)
        let session = try bench.visit()
        bench.group.drain(session.process, now: bench.now)
        bench.group.bringBack(session.process, now: bench.now)
        #expect(states(bench) == [.ready, .ready])
        #expect(try bench.acquire(as: session).grant().affinity == .kept)
    }

    @Test func `health checks bring back no server that an administrator has taken out`() throws {
        let bench = self.bench(2) { policy in
            policy.health = HealthPolicy(path: "/")
        }
        let server = bench.group.checkedServers[0].process
        bench.group.stop(server, now: bench.now)
        for _ in 0..<9 { bench.group.checked(server, .well, now: bench.now) }
        #expect(states(bench) == [.down, .ready])
    }

    @Test func `the servers that are out are told, and taken out again`() throws {
        let bench = self.bench(3)
        let servers = bench.snapshot.processes
        _ = try bench.visit(on: servers[0].handle)
        bench.group.drain(servers[0].handle, now: bench.now)
        bench.group.stop(servers[1].handle, now: bench.now)
        let out = [
            OutOfService(label: servers[0].label, isDraining: true),
            OutOfService(label: servers[1].label, isDraining: false),
        ]
        #expect(bench.recorder.supervision.last == .rememberServers(out))
        let next = self.bench(3)
        next.group.takeOutAgain(out, now: next.now)
        #expect(states(next) == [.draining, .down, .ready])
        next.group.bringBack(next.snapshot.processes[0].handle, now: next.now)
        #expect(next.recorder.supervision.last == .rememberServers([out[1]]))
    }

    @Test func `a server that drains keeps its sessions over a restart`() throws {
        let bench = self.bench(2) { $0.sessionIdle = .seconds(60) }
        let server = bench.snapshot.processes[0]
        let session = try bench.visit(on: server.handle)
        let next = self.bench(2) { $0.sessionIdle = .seconds(60) }
        next.group.takeOutAgain(
            [OutOfService(label: server.label, isDraining: true)], now: next.now)
        next.pass(.seconds(50))
        #expect(try next.acquire(as: session).grant().affinity == .kept)
    }

    @Test func `a server that drains over a restart is out once no session has returned`() {
        let bench = self.bench(2) { $0.sessionIdle = .seconds(60) }
        let label = bench.snapshot.processes[0].label
        bench.group.takeOutAgain([OutOfService(label: label, isDraining: true)], now: bench.now)
        bench.pass(.seconds(61))
        #expect(states(bench) == [.down, .ready])
    }

    @Test func `a server of a name is out after a restart, once the name has been looked up`() {
        let place = ProcessAddress.tcp(host: "app.internal", port: 80)
        let bench = Bench { policy in
            policy.kind = .external([ServerEndpoint(address: place)])
        }
        let out = [OutOfService(label: "app.internal:80@10.0.0.1", isDraining: false)]
        bench.group.takeOutAgain(out, now: bench.now)
        bench.group.resolved(place, to: ["10.0.0.1", "10.0.0.2"], now: bench.now)
        #expect(states(bench) == [.down, .ready])
    }

    // MARK: Changes of the configuration

    @Test func `a reload adds a server, and keeps the sessions of the others`() throws {
        let bench = self.bench(1)
        let session = try bench.visit()
        reload(bench, [endpoint(1), endpoint(2)]) { $0.slowStart = .seconds(64) }
        #expect(states(bench) == [.ready, .ready] && bench.snapshot.maximum == 2)
        #expect(try bench.acquire(as: session).grant().affinity == .kept)
        #expect(bench.snapshot.processes[1].server?.slowStartLeft == .seconds(64))
        #expect(bench.snapshot.sessionsLive == 1)
    }

    @Test func `a server that leaves the configuration keeps its sessions until they end`() throws {
        let bench = self.bench(2) { $0.sessionIdle = .seconds(60) }
        let leaving = bench.snapshot.processes[0].handle
        let session = try bench.visit(on: leaving)
        bench.finish(try bench.acquire(as: session).grant())
        reload(bench, [endpoint(2)]) { $0.sessionIdle = .seconds(60) }
        #expect(states(bench) == [.draining, .ready] && bench.snapshot.maximum == 1)
        bench.finish(try bench.acquire(as: session).grant())
        for _ in 0..<3 { #expect(try bench.visit().process != leaving) }
        bench.pass(.seconds(61))
        #expect(states(bench) == [.ready])
        #expect(bench.recorder.events.contains(.gone(leaving, .removed, nil)))
    }

    @Test func `a server that leaves and does not answer is gone at once`() throws {
        let bench = self.bench(2)
        let leaving = bench.snapshot.processes[0].handle
        let session = try bench.visit(on: leaving)
        reload(bench, [endpoint(2)])
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        #expect(states(bench) == [.ready])
        #expect(try bench.acquire(as: session).grant().affinity == .lost)
    }

    @Test func `a server that is back before it has left serves on`() throws {
        let bench = self.bench(2)
        let session = try bench.visit(on: bench.snapshot.processes[0].handle)
        reload(bench, [endpoint(2)])
        reload(bench, [endpoint(1), endpoint(2)])
        #expect(states(bench) == [.ready, .ready])
        #expect(try bench.acquire(as: session).grant().affinity == .kept)
    }

    @Test func `a named server keeps its sessions at another address`() throws {
        let bench = Bench { policy in
            policy.kind = .external([endpoint(1, name: "a"), endpoint(2, name: "b")])
            policy.threads = 9
        }
        let session = try bench.visit(on: bench.snapshot.processes[0].handle)
        reload(bench, [endpoint(9, name: "a"), endpoint(2, name: "b")])
        let grant = try bench.acquire(as: session).grant()
        #expect(grant.affinity == .kept)
        #expect(bench.group.address(of: grant.process) == endpoint(9).address)
        #expect(bench.snapshot.sessionsLostTotal == 0)
    }

    @Test func `a server has its own threads, or the group's`() throws {
        var own = endpoint(1)
        own.threads = 2
        let bench = Bench { policy in
            policy.kind = .external([own, endpoint(2)])
            policy.threads = 5
        }
        #expect(bench.snapshot.processes.map(\.slots) == [2, 5])
        for _ in 0..<7 { _ = try bench.acquire(pinned: false).grant() }
        #expect(bench.snapshot.processes.map(\.inFlight) == [2, 5])
        _ = try bench.acquire(pinned: false).ticket()
        own.threads = 3
        reload(bench, [own, endpoint(2)]) { $0.threads = 5 }
        #expect(bench.recorder.takeTraffic().count == 1)
    }

    // MARK: Ejection

    @Test func `at most half of the servers are out for their answers`() throws {
        let bench = Bench.external([1, 1, 1, 1, 1]) { $0.threads = 50 }
        for process in bench.snapshot.processes {
            for _ in 0..<3 {
                let grants = try (0..<40).map { _ in try bench.acquire(pinned: false).grant() }
                for grant in grants {
                    bench.finish(grant, grant.process == process.handle ? .failed : .abandoned)
                }
            }
        }
        #expect(states(bench).count { $0 == .down } == 2)
        #expect(bench.snapshot.processes.compactMap(\.server?.outagesTotal).reduce(0, +) == 2)
    }
}
