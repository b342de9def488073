internal import Backends
internal import Reactor

/// A process that was starting when it was left to another balancer.
struct ExpectedProcess {
    let key: ProcessKey
    let tree: ProcessTree
    var listener: UInt64?
    var probe: ReadinessProbe
}

/// Requests that came with TLS or HTTP/2, or with a body, stay with this balancer while it ends. Some
/// wait for a process that another one looks after by now, so it is asked here as well.
extension SupervisionLoop {
    /// Goes on asking a process that is left.
    func expect(_ process: ManagedProcess) {
        let probe: ReadinessProbe
        switch process.phase {
        case .launching(let launch): probe = launch.probe
        case .starting(var current):
            current.cancel()
            probe = current
        case .running, .collected: return
        }
        expected.append(
            ExpectedProcess(
                key: process.key, tree: ProcessTree(process),
                probe: ReadinessProbe(
                    place: probe.place, user: probe.user, now: Clock.monotonic())))
    }

    var nextExpected: Int64? { expected.compactMap(\.probe.nextAttempt).min() }

    /// Asks those whose time has come.
    func askExpected(now: Int64) {
        guard let next = nextExpected, next <= now else { return }
        expected = expected.compactMap { process in
            var process = process
            guard let next = process.probe.nextAttempt, next <= now else { return process }
            var outcome = process.probe.attempt(now: now)
            while true {
                // Loopback connections are decided at once.
                while case .waits = outcome { outcome = process.probe.settle(now: now) }
                guard case .accepts(let address) = outcome,
                    let place = try? address.socketAddress()
                else { return process }
                if PortHolder.of(place, process.tree, known: &process.listener) == .process {
                    let (key, now) = (process.key, self.now())
                    groups[key.group].listens(key.handle, at: address, now: now)
                    groups[key.group].becameReady(key.handle, now: now)
                    return nil
                }
                outcome = process.probe.goOn(now: now)
            }
        }
    }
}
