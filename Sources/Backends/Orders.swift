/// What the registry wants done on the data path; carried out by `ReverseProxy`.
package enum TrafficOrder: Equatable, Sendable {
    /// A waiter has its slot; if its client has left meanwhile, answer with `finished(.abandoned)`.
    case grant(WaiterTag, Grant)
    case refuse(WaiterTag, Refusal)
}

/// What the registry wants done to processes; carried out by `Supervision`.
package enum SupervisionOrder: Equatable, Sendable {
    /// Start a process of a generation; answered by `spawned`, then `becameReady`, or `exited`.
    case spawn(ProcessHandle, reason: SpawnReason, generation: Int)
    /// SIGTERM to the process group.
    case terminate(ProcessHandle, reason: StopReason)
    /// SIGKILL to the process group: `stop_timeout` has passed, or it never got ready.
    case kill(ProcessHandle, reason: StopReason)
    /// Keep that the process is out of service, for an adoption.
    case rememberDraining(ProcessHandle)
    /// Keep that the process is in service again.
    case rememberServing(ProcessHandle)
    /// Keep the longest idle time of the process's sessions, for an adoption.
    case rememberHold(ProcessHandle, Interval)
    /// Keep the sessions that hold a place of the process, for an adoption.
    case remember(ProcessHandle, RememberedSessions)
}

/// Why a process was started.
package enum SpawnReason: String, Equatable, Sendable, CaseIterable {
    /// Below the group's minimum.
    case minimum = "min"
    /// Requests wait for it.
    case queue
    /// The group is above its target load.
    case load
    /// The sessions are nearly as many as its processes are to have.
    case sessions
    /// The one probe of a failing group per back-off period.
    case probe
    /// Fewer idle ones than `spare`.
    case spare
    /// Of a new generation.
    case rollout
    /// For one that is recycled.
    case recycle
    /// The group was scaled up.
    case scale
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
    /// It has served `max_requests`.
    case maxRequests = "max_requests"
    /// It is older than `max_age`.
    case maxAge = "max_age"
    /// It uses more than `max_memory`.
    case maxMemory = "max_memory"
    /// It promised signs of life and gave none.
    case watchdog
    /// It did not answer its health checks.
    case unhealthy
    /// A request ran for longer than `request_timeout`.
    case requestTimeout = "request_timeout"
    /// A newer generation has taken over, or it did not come that far.
    case rollout
    /// Above the maximum that was set since.
    case scaledDown = "scaled_down"
    /// An administrator's word.
    case command
    /// Its own word.
    case notify
    /// It was drained for `drain_timeout` and still had sessions.
    case drainTimeout = "drain_timeout"
    /// Idle, and another group needed the room (`max_processes`).
    case makeRoom = "make_room"
    /// Its group is not in the configuration any more.
    case retired
}

/// One decision of the registry, in order: what the log and the admin events tell.
package enum RegistryEvent: Equatable, Sendable {
    case spawning(ProcessHandle, SpawnReason)
    case ready(ProcessHandle, after: Interval)
    /// No failures in a row: it was of a new generation, whose failures count for themselves.
    case startFailed(ProcessHandle, ExitReport, failuresInARow: Int, backoff: Interval)
    case draining(ProcessHandle, StopReason)
    /// In service again, with its group.
    case reinstated(ProcessHandle)
    case stopping(ProcessHandle, StopReason)
    case killing(ProcessHandle, StopReason)
    case gone(ProcessHandle, StopReason, ExitReport?)
    case sessionsLost(ProcessHandle, count: Int)
    /// An external server is out until the given span has passed.
    case down(ProcessHandle, retryIn: Interval)
    /// Its time is over: one request will tell whether it is well.
    case up(ProcessHandle)
    /// That request was answered, so it gets as many as before.
    case answering(ProcessHandle)
    /// A process of an earlier balancer was taken over.
    case adopted(ProcessHandle)
    /// It is to be replaced.
    case recycling(ProcessHandle, StopReason)
    /// It waits, since so many others are on their way out (`draining_max`).
    case recyclingWaits(leaving: Int)
    case rolloutStarted(generation: Int)
    /// The generation serves; those before it drain.
    case rolloutDone(generation: Int)
    /// The generation did not get ready; the one before serves on.
    case rolloutFailed(generation: Int, ExitReport?)
    case scaled(minimum: Int, maximum: Int)
    case failing(retryIn: Interval)
    case recovered
    /// `max_processes` are running and no group has had one to spare for a while: a start waits.
    case waitingForRoom(SpawnReason)
    /// Nearly as many sessions have a lease as can: unconfirmed ones give way, and when there are none
    /// new sessions keep no process alive.
    case leasesFull(count: Int)
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
