internal import Backends
internal import Logging
internal import Reactor

/// Diagnosis of a process that does not become ready.
extension SupervisionLoop {
    private static let slow: Int64 = 5_000_000_000

    /// A process has executed its program, and is probed for readiness from now on.
    func beginStart(of process: ManagedProcess) {
        let now = Clock.monotonic()
        process.slowAt = now + Self.slow
        probes.startActivity.begin(now: now)
        watchSocket(of: process)
    }

    /// Logs once what a slow start waits for: a program that listens elsewhere never becomes ready.
    func logIfSlow(_ process: ManagedProcess, now: Int64) {
        guard let time = process.slowAt, time <= now else { return }
        process.slowAt = nil
        guard case .starting = process.phase else { return }
        log.about(process).warning(
            """
            process \(process.label) (pid \(process.child.pid)) is not ready after \
            \(Self.slow / 1_000_000_000) s: \(startDiagnosis(of: process))
            """)
    }

    /// Its `start_timeout` is over, and it is about to be killed.
    func logStartTimeout(_ process: ManagedProcess) {
        guard case .starting = process.phase else { return }
        let diagnosis = startDiagnosis(of: process)
        process.diagnosis = diagnosis
        log.about(process).warning(
            "process \(process.label) (pid \(process.child.pid)): \(diagnosis)")
    }

    private func startDiagnosis(of process: ManagedProcess) -> String {
        if let health = process.health, health.isStarting,
            case .starting(let probe) = process.phase,
            probe.nextAttempt == nil
        {
            let location = (try? process.address.socketAddress().text) ?? "its address"
            let last = health.objection.map { "; the last answer: \($0)" } ?? ""
            return """
                it listens at \(location), and Mooring waits for a good answer to GET \
                \(health.policy.path)\(last)
                """
        }
        let tree = ProcessTree(process)
        let found: String
        switch OwnListeners.of(tree) {
        case nil: found = "what it listens on cannot be seen"
        case .some(let locations) where locations.isEmpty: found = "it does not listen anywhere"
        case .some(let locations):
            found = "it listens at \(locations.joined(separator: " and ")) instead"
        }
        return
            "Mooring waits until it listens at \(process.endpoint.text), or sends READY=1; \(found)"
    }
}
