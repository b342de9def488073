internal import Backends

/// Nanoseconds of what every request does: take a slot of its session's process, and give it back.
enum Bench {
    private static let rounds = 2_000_000

    static func run() {
        for sessions in [1, 1_000, 100_000] {
            var policy = GroupPolicy(name: "bench")
            policy.kind = .external(
                (0..<4).map { .init(address: .tcp(host: "10.0.0.\($0)", port: 80)) })
            policy.threads = 10
            let executor = Nobody()
            var now = MonotonicInstant(nanoseconds: 1_000_000_000)
            let group = Group(index: 0, policy: policy, seed: 1, executor: executor, now: now)
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
                var place = 0
                for _ in 0..<rounds {
                    now = now + Interval(nanoseconds: 20_000)
                    if case .granted(let grant) = group.acquire(requests[place], now: now) {
                        group.finished(grant, .served, now: now)
                    }
                    place = (place + 7919) % requests.count
                }
            }
            let nanoseconds =
                Double(elapsed.components.attoseconds) / 1e9
                + Double(elapsed.components.seconds) * 1e9
            print("\(sessions) sessions: \(Int(nanoseconds / Double(rounds))) ns a request")
        }
    }
}

/// Kept sessions cause no orders.
private final class Nobody: OrderExecutor {
    func carryOut(_ orders: [TrafficOrder], group: Int) {}
    func carryOut(_ orders: [SupervisionOrder], group: Int) {}
    func record(_ events: [RegistryEvent], group: Int) {}
    func deadlineMovedForward(group: Int) {}
}
