/// What the registry wants done on the data path; carried out by `ReverseProxy`.
package enum TrafficOrder: Equatable, Sendable {
    /// A waiter has its slot; if its client has left meanwhile, answer with `finished(.abandoned)`.
    case grant(WaiterTag, Grant)
    case refuse(WaiterTag, Refusal)
}

/// What the registry wants done to processes; carried out by `Supervision`.
package enum SupervisionOrder: Equatable, Sendable {
    /// Start a process for this place; answered by `spawned`, then `becameReady`, or `exited`.
    case spawn(ProcessHandle, reason: SpawnReason)
    /// SIGTERM to the process group.
    case terminate(ProcessHandle, reason: StopReason)
    /// SIGKILL to the process group: `stop_timeout` has passed, or it never got ready.
    case kill(ProcessHandle, reason: StopReason)
}

/// Why a process was started.
package enum SpawnReason: String, Equatable, Sendable, CaseIterable {
    /// Below the group's minimum.
    case minimum = "min"
    /// Requests wait for it.
    case queue
    /// The group is above its target load.
    case load
    /// The one probe of a failing group per back-off period.
    case probe
}

/// Why a process was stopped, or has gone.
package enum StopReason: String, Equatable, Sendable, CaseIterable {
    /// Transient and idle for `idle_timeout`, its sessions ended.
    case idle
    case startTimeout = "start_timeout"
    /// Running, but its socket refuses connections.
    case unreachable
    case shutdown
    /// Taken out of service; its sessions have ended.
    case drained
    /// Ended by itself.
    case exited
}

/// One decision of the registry, in order: what the log and the admin events tell.
package enum RegistryEvent: Equatable, Sendable {
    case spawning(ProcessHandle, SpawnReason)
    case ready(ProcessHandle, after: Interval)
    case startFailed(ProcessHandle, ExitReport, failuresInARow: Int, backoff: Interval)
    case draining(ProcessHandle, StopReason)
    case stopping(ProcessHandle, StopReason)
    case killing(ProcessHandle, StopReason)
    case gone(ProcessHandle, StopReason, ExitReport?)
    case sessionsLost(ProcessHandle, count: Int)
    /// An external server is out until the given span has passed.
    case down(ProcessHandle, retryIn: Interval)
    case up(ProcessHandle)
    case failing(retryIn: Interval)
    case recovered
    /// A waiter was refused; counted, and logged at debug level.
    case shed(Refusal.Reason)
}

/// How a process ended, or why it could not be started.
package struct ExitReport: Equatable, Sendable {
    /// One sentence for people: `exited with status 1`, `No such file or directory: ./app`.
    package var reason: String
    package var status: Int32?
    package var signal: Int32?
    /// The last lines of its output, oldest first, bounded by Supervision.
    package var output: [String]

    package init(reason: String, status: Int32? = nil, signal: Int32? = nil, output: [String] = [])
    {
        self.reason = reason
        self.status = status
        self.signal = signal
        self.output = output
    }
}
