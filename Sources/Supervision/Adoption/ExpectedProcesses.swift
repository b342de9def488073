internal import Backends
internal import Reactor

/// Processes that were starting when they were left to another balancer.
///
/// Requests on TLS or HTTP/2 connections, or with a body, stay with this balancer while it drains.
/// Some wait for a process that another balancer manages by now, so this one probes it too.
struct ExpectedProcesses {
    private struct Expected {
        let key: ProcessKey
        let tree: ProcessTree
        var listener: UInt64?
        var probe: ReadinessProbe
    }

    private var expected: [Expected] = []

    /// When the next one is probed; nil: there is none.
    var nextDeadline: Int64? { expected.compactMap(\.probe.nextAttempt).min() }

    /// Continues to probe a process that was left; harmless for those that were ready or have
    /// exited.
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

    /// Probes those that are due.
    ///
    /// - Returns: those that listen, with their addresses; they are not probed any more.
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

    /// The address on which it listens by now; nil: none yet.
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
