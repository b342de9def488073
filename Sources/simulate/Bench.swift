internal import Backends

/// Nanoseconds of the work of every request: taking a slot of its session's process, and returning
/// it.
enum Bench {
    static func run(rounds: Int) {
        for sessions in [1, 1_000, 100_000] {
            measure("external servers", sessions, rounds) { policy in
                policy.kind = .external(
                    (0..<4).map { .init(address: .tcp(host: "10.0.0.\($0)", port: 80)) })
            }
        }
        measure("processes, as many as may be", 1_000, rounds) { policy in
            (policy.minimum, policy.maximum) = (4, 4)
        }
        measure("processes, of which some are transient", 1_000, rounds) { policy in
            (policy.minimum, policy.maximum) = (2, 8)
        }
    }

    private static func measure(
        _ name: String, _ sessions: Int, _ rounds: Int, _ configure: (inout GroupPolicy) -> Void
    ) {
        var policy = GroupPolicy(name: "bench")
        policy.threads = 10
        configure(&policy)
        var now = MonotonicInstant(nanoseconds: 1_000_000_000)
        let executor = Starter()
        let group = Group(index: 0, policy: policy, seed: 1, executor: executor, now: now)
        executor.group = group
        group.start(now: now)
        let requests = (0..<sessions).compactMap { index -> AdmissionRequest? in
            let session = SessionID(high: UInt64(index) &* 0x9e37_79b9_7f4a_7c15, low: 1)
            let first = AdmissionRequest(claim: nil, newSession: session, waiter: .init(0))
            guard case .granted(let grant) = group.acquire(first, now: now) else { return nil }
            group.finished(grant, .served, now: now)
            return AdmissionRequest(
                claim: .init(session: session, process: grant.incarnation),
                newSession: session, waiter: .init(0))
        }
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            var index = 0
            for _ in 0..<rounds {
                now = now + Interval(nanoseconds: 20_000)
                if case .granted(let grant) = group.acquire(requests[index], now: now) {
                    group.finished(grant, .served, now: now)
                }
                index = (index + 7919) % requests.count
            }
        }
        let nanoseconds =
            Double(elapsed.components.attoseconds) / 1e9
            + Double(elapsed.components.seconds) * 1e9
        let average = Int(nanoseconds / Double(rounds))
        print("\(name), \(sessions) sessions: \(average) ns a request")
    }
}

/// A supervision whose processes are ready at once; requests of kept sessions cause no orders.
private final class Starter: OrderExecutor, @unchecked Sendable {
    var group: Group?

    func carryOut(_ orders: [TrafficOrder], group: Int) {}
    func carryOut(_ orders: [SupervisionOrder], group index: Int) {
        let now = MonotonicInstant(nanoseconds: 1_000_000_000)
        for case .spawn(let process, _, _) in orders {
            group?.spawned(
                process, incarnation: Incarnation(UInt64(process.index) + 1), label: "bench",
                pid: 1, address: .unix(path: "/bench"), now: now)
            group?.becameReady(process, now: now)
        }
    }
    func record(_ events: [RegistryEvent], group: Int) {}
    func deadlineMovedForward(group: Int) {}
}
