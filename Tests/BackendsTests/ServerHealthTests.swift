internal import Backends
internal import Testing

@Suite struct ServerHealthTests {
    private static func health(rise: Int, fall: Int) -> HealthPolicy {
        var health = HealthPolicy(path: "/")
        (health.rise, health.fall) = (rise, fall)
        return health
    }

    private func bench(rise: Int = 2, fall: Int = 3, _ weights: [Int] = [1, 1]) -> Bench {
        Bench.external(weights) { policy in
            policy.health = Self.health(rise: rise, fall: fall)
            policy.threads = 9
        }
    }

    private func check(_ bench: Bench, _ place: Int, _ answers: Bool...) {
        let server = bench.group.checkedServers[place].process
        for isWell in answers {
            bench.group.checked(server, isWell ? .well : .silent, now: bench.now)
        }
    }

    private func states(_ bench: Bench) -> [ProcessSnapshot.State] {
        bench.snapshot.processes.map(\.state)
    }

    @Test func `a server is down after fall bad answers in a row`() {
        let bench = bench()
        check(bench, 0, false, false, true, false, false)
        #expect(states(bench) == [.ready, .ready])
        check(bench, 0, false)
        #expect(states(bench) == [.down, .ready])
    }

    @Test func `a server is up after rise good answers in a row, and without a trial`() throws {
        let bench = bench(rise: 3)
        check(bench, 0, false, false, false, true, true, false, true, true)
        #expect(states(bench) == [.down, .ready])
        check(bench, 0, true)
        #expect(states(bench) == [.ready, .ready])
        let server = bench.group.checkedServers[0].process
        #expect(bench.recorder.events.contains(.answering(server)))
        #expect(!bench.recorder.events.contains(.up(server)))
    }

    @Test func `the good answers before an outage do not count`() throws {
        let bench = bench()
        check(bench, 0, true, true, true, true)
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        let place = try #require(
            bench.group.checkedServers.firstIndex { $0.process == session.process })
        check(bench, place, true)
        #expect(states(bench)[place] == .down)
        check(bench, place, true)
        #expect(states(bench)[place] == .ready)
    }

    @Test func `time alone brings no server back that is asked`() {
        let bench = bench()
        check(bench, 0, false, false, false)
        for _ in 0..<20 {
            bench.pass(.seconds(30))
            check(bench, 0, false)
        }
        #expect(states(bench) == [.down, .ready])
        // Its health checks have stopped.
        bench.pass(.seconds(61))
        #expect(bench.recorder.events.contains(.up(bench.group.checkedServers[0].process)))
    }

    @Test func `requests are refused while every server is down, and served again`() throws {
        let bench = bench(rise: 1, fall: 1, [1])
        check(bench, 0, false)
        #expect(bench.acquire().refusal?.reason == .groupFailing)
        check(bench, 0, true)
        _ = try bench.acquire().grant()
    }

    @Test func `servers without health checks or of a retired group are not asked`() {
        #expect(Bench.external([1]).group.checkedServers.isEmpty)
        let retired = bench()
        retired.group.retire(now: retired.now)
        #expect(retired.group.checkedServers.isEmpty)
    }

    @Test func `a server behind TLS is asked with its settings`() throws {
        let place = ProcessAddress.tcp(host: "10.0.0.1", port: 443)
        let secure = Bench { policy in
            policy.kind = .external([.init(address: place, tls: ServerTLS(name: "a"))])
            policy.health = Self.health(rise: 1, fall: 1)
        }
        #expect(secure.group.checkedServers.map(\.securePlace) == [place])
        #expect(bench().group.checkedServers.map(\.securePlace) == [nil, nil])
    }

    private func answer(_ bench: Bench, _ place: Int, _ results: CheckResult...) {
        let server = bench.group.checkedServers[place].process
        for result in results { bench.group.checked(server, result, now: bench.now) }
    }

    /// A bench with a session on its first server.
    private func visited() throws -> (Bench, Grant) {
        let bench = bench()
        let first = bench.group.checkedServers[0].process
        var session = try bench.visit()
        while session.process != first { session = try bench.visit() }
        return (bench, session)
    }

    @Test func `a server that answers badly keeps its sessions and gets no others`() throws {
        let (bench, session) = try visited()
        answer(bench, 0, .unwell, .unwell, .unwell)
        #expect(states(bench) == [.down, .ready])
        for _ in 0..<4 {
            #expect(try bench.visit().process != session.process)
            let grant = try bench.acquire(as: session).grant()
            #expect(grant.process == session.process && grant.affinity == .kept)
            bench.finish(grant)
        }
        answer(bench, 0, .well, .well)
        #expect(states(bench) == [.ready, .ready])
        #expect(try bench.visit().process == session.process)
    }

    @Test func `a server whose checks time out keeps its sessions while it answers them`() throws {
        let (bench, session) = try visited()
        answer(bench, 0, .silent, .silent)
        bench.pass(.seconds(1))
        bench.finish(try bench.acquire(as: session).grant())
        answer(bench, 0, .silent)
        let grant = try bench.acquire(as: session).grant()
        #expect(grant.process == session.process && grant.affinity == .kept)
        bench.finish(grant, .abandoned)
        // From here on it answers nothing.
        bench.pass(.seconds(1))
        answer(bench, 0, .well, .silent)
        bench.pass(.seconds(1))
        answer(bench, 0, .silent, .silent)
        #expect(try bench.acquire(as: session).grant().affinity == .lost)
    }

    @Test func `a server that fails its checks and refuses a connection loses its sessions`() throws
    {
        let (bench, session) = try visited()
        answer(bench, 0, .unwell, .unwell, .unwell)
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        #expect(try bench.acquire(as: session).grant().affinity == .lost)
        answer(bench, 0, .well, .well)
        #expect(states(bench) == [.ready, .ready])
    }

    @Test func `requests are refused while every server answers badly`() throws {
        let bench = bench(rise: 1, fall: 1)
        answer(bench, 0, .unwell)
        answer(bench, 1, .unwell)
        #expect(bench.acquire().refusal?.reason == .groupFailing)
        #expect(bench.snapshot.state == .failing)
        answer(bench, 1, .well)
        _ = try bench.acquire().grant()
    }
}
