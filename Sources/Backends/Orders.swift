/// The registry's orders to the data path; carried out by `ReverseProxy`.
package enum TrafficOrder: Equatable, Sendable {
    /// A waiter has its slot; if its client has left meanwhile, respond with
    /// `finished(.abandoned)`.
    case grant(WaiterTag, Grant)
    case refuse(WaiterTag, Refusal)
}

/// The registry's orders about processes; carried out by `Supervision`.
package enum SupervisionOrder: Equatable, Sendable {
    /// Start a process of a generation; the response is `spawned`, then `becameReady`, or `exited`.
    case spawn(ProcessHandle, reason: SpawnReason, generation: Int)
    /// SIGTERM to the process group.
    case terminate(ProcessHandle, reason: StopReason)
    /// SIGKILL to the process group: `stop_timeout` has passed, or it never became ready.
    case kill(ProcessHandle, reason: StopReason)
    /// Record that the process is out of service, why, and until when at the latest, for an adoption.
    case rememberDraining(ProcessHandle, StopReason, until: MonotonicInstant)
    /// Record that the process is in service again.
    case rememberServing(ProcessHandle)
    /// Record the longest idle time of the process's sessions, for an adoption.
    case rememberHold(ProcessHandle, Interval)
    /// Record the sessions that hold a place of the process, for an adoption.
    case remember(ProcessHandle, RememberedSessions)
    /// Record whether there are sessions on the process, where they hold no places, for an adoption.
    case rememberUse(ProcessHandle, Bool)
    /// Record which servers an administrator has taken out of service, for the next balancer.
    case rememberServers([OutOfService])
}

/// Why a process was started.
package enum SpawnReason: String, Equatable, Sendable, CaseIterable {
    /// Below the group's minimum.
    case minimum = "min"
    /// Requests wait for it.
    case queue
    /// The group is above its target load.
    case load
    /// The sessions nearly reach the target of the group's processes.
    case sessions
    /// The one probe of a failing group per back-off period.
    case probe
    /// Fewer idle processes than `spare`.
    case spare
    /// For a new generation.
    case rollout
    /// To replace a process that is recycled.
    case recycle
    /// The group was scaled up.
    case scale
}

/// Why a process was stopped, or has gone.
package enum StopReason: String, Equatable, Sendable, CaseIterable {
    /// Transient and idle for `idle_timeout`, its sessions ended.
    case idle
    case startTimeout = "start_timeout"
    /// It runs, but its socket refuses connections.
    case unreachable
    case shutdown
    /// Out of service, and its sessions have ended.
    case drained
    /// It exited on its own.
    case exited
    /// It has served `max_requests`.
    case maxRequests = "max_requests"
    /// It is older than `max_age`.
    case maxAge = "max_age"
    /// It uses more than `max_memory`.
    case maxMemory = "max_memory"
    /// It stopped sending WATCHDOG=1.
    case watchdog
    /// It failed its health checks.
    case unhealthy
    /// A request ran for longer than `request_timeout`.
    case requestTimeout = "request_timeout"
    /// A newer generation has taken over, or its own generation was given up.
    case rollout
    /// It exceeds the current maximum.
    case scaledDown = "scaled_down"
    /// An administrator's command.
    case command
    /// Its own notification (STOPPING=1).
    case notify
    /// It drained for `drain_timeout` and still had sessions.
    case drainTimeout = "drain_timeout"
    /// Idle, and another group needed the room (`max_processes`).
    case makeRoom = "make_room"
    /// The configuration no longer has its group.
    case retired
    /// The configuration no longer has the server, or its name no longer has the address.
    case removed
}

/// One decision of the registry, in order, for the log and the admin API.
package enum RegistryEvent: Equatable, Sendable {
    case spawning(ProcessHandle, SpawnReason)
    case ready(ProcessHandle, after: Interval)
    /// `failuresInARow` is 0 for a new generation, whose failures are counted separately.
    case startFailed(ProcessHandle, ExitReport, failuresInARow: Int, backoff: Interval)
    case draining(ProcessHandle, StopReason)
    /// In service again, with its group.
    case reinstated(ProcessHandle)
    case stopping(ProcessHandle, StopReason)
    case killing(ProcessHandle, StopReason)
    case gone(ProcessHandle, StopReason, ExitReport?)
    case sessionsLost(ProcessHandle, count: Int)
    /// An external server is out of service for the given time.
    case down(ProcessHandle, retryIn: Interval)
    /// The time is over: one request will show whether it works.
    case up(ProcessHandle)
    /// It answered that request, so it gets its full share again.
    case answering(ProcessHandle)
    /// A server that was not known before gets sessions.
    case joined(ProcessHandle)
    /// An administrator has taken the server out, and it has no sessions any more.
    case out(ProcessHandle)
    /// A process of an earlier balancer was adopted.
    case adopted(ProcessHandle)
    /// The process will be replaced.
    case recycling(ProcessHandle, StopReason)
    /// Recycling waits because `draining_max` processes are draining.
    case recyclingWaits(leaving: Int)
    case rolloutStarted(generation: Int)
    /// The generation serves; earlier ones drain.
    case rolloutDone(generation: Int)
    /// The generation did not become ready; the earlier one continues to serve.
    case rolloutFailed(generation: Int, ExitReport?)
    case scaled(minimum: Int, maximum: Int)
    case failing(retryIn: Interval)
    case recovered
    /// A start waits: `max_processes` are running and no group has been able to spare one for a
    /// while.
    case waitingForRoom(SpawnReason)
    /// Nearly all leases are taken: unconfirmed sessions give way, and once there are none, new
    /// sessions keep no process alive.
    case leasesFull(count: Int)
    /// A waiter was refused; counted, and logged at debug level.
    case shed(Refusal.Reason)
}

/// How a process exited, or why it could not be started.
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
