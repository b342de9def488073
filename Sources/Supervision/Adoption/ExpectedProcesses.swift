internal import Backends
internal import Reactor

/// Processes that were starting when they were left to another balancer.
///
/// Requests that came with TLS or HTTP/2, or with a body, stay with this balancer while it ends. Some
/// wait for a process that another one looks after by now, so it is asked here as well.
struct ExpectedProcesses {
    private struct Expected {
        let key: ProcessKey
        let tree: ProcessTree
        var listener: UInt64?
        var probe: ReadinessProbe
    }

    private var expected: [Expected] = []

    /// When the next one is asked; nil: there is none.
    var nextDeadline: Int64? { expected.compactMap(\.probe.nextAttempt).min() }

    /// Goes on asking a process that is left; harmless for those that were ready or have ended.
    mutating func add(_ process: ManagedProcess, now: Int64) {
        let probe: ReadinessProbe
        switch process.phase {
        case .launching(let launch): probe = launch.probe
        case .starting(var current):
            current.cancel()
            probe = current
        case .running, .collected: return
        }
        expected.append(
            Expected(
                key: process.key, tree: ProcessTree(process),
                probe: ReadinessProbe(
                    endpoint: probe.endpoint, user: probe.user, asking: probe.question, now: now)))
    }

    /// Asks those whose time has come.
    ///
    /// - Returns: those that listen, and where; they are not asked any more.
    mutating func ask(now: Int64) -> [(key: ProcessKey, address: ProcessAddress)] {
        guard let next = nextDeadline, next <= now else { return [] }
        var ready: [(key: ProcessKey, address: ProcessAddress)] = []
        expected = expected.compactMap { process in
            var process = process
            guard let next = process.probe.nextAttempt, next <= now else { return process }
            guard let address = Self.address(of: &process, now: now) else { return process }
            ready.append((process.key, address))
            return nil
        }
        return ready
    }

    /// Where it listens by now; nil: nowhere yet.
    private static func address(of process: inout Expected, now: Int64) -> ProcessAddress? {
        var outcome = process.probe.attempt(now: now)
        while true {
            // Loopback connections are decided at once.
            while case .waits = outcome { outcome = process.probe.settle(now: now) }
            guard case .accepts(let address) = outcome, let socket = try? address.socketAddress()
            else { return nil }
            if PortHolder.of(socket, process.tree, known: &process.listener) == .process {
                return address
            }
            outcome = process.probe.goOn(now: now)
        }
    }
}
