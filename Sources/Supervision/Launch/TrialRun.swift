internal import Glibc
internal import Reactor

/// A short program in place of a process: as the same user, in the same directory, with the same
/// limits; outside of supervision, before anything is started.
enum TrialRun {
    struct Outcome {
        var status: ExitStatus
        var output: [String]
        var errors: [String]
    }

    /// Bytes of each output that are kept.
    private static let most = 64 * 1024

    /// Runs a program to its end, or kills it when its time is up.
    ///
    /// - Parameter patience: nanoseconds.
    /// - Throws: `SpawnFailure` when it cannot be started like a process of the group.
    static func run(
        _ arguments: [String], like spec: LaunchSpec, patience: Int64
    ) throws(SpawnFailure) -> Outcome {
        let input = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SpawnFailure(errno: errno, step: "open /dev/null") }
        defer { close(input) }
        var command = ChildProcess.Command(
            arguments: arguments, environment: spec.environment.map { "\($0.key)=\($0.value)" },
            directory: spec.directory, path: spec.environment["PATH"] ?? "")
        command.isolation = spec.isolation
        let (child, exec) = try ChildProcess.spawn(command, input: input)
        var output = OutputPipe(stream: .output, descriptor: child.output)
        var errors = OutputPipe(stream: .errors, descriptor: child.errors)
        var outcome = Outcome(status: .unknown, output: [], errors: [])
        var scratch = [UInt8](repeating: 0, count: OutputPipe.readSize)
        var start: PendingExec.Outcome?
        let deadline = Clock.monotonic() + patience
        var isKilled = false
        while true {
            _ = output.read(portion: most, scratch: &scratch) { outcome.output.append($0) }
            _ = errors.read(portion: most, scratch: &scratch) { outcome.errors.append($0) }
            start = start ?? exec.outcome()
            if let status = child.peekExit() {
                outcome.status = status
                if start != nil { break }
            } else if !isKilled, Clock.monotonic() > deadline {
                child.signalGroup(SIGKILL)
                isKilled = true
            }
            // Events for drained outputs would wake it repeatedly, so it polls them every few
            // milliseconds.
            var question = pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)
            unsafe poll(&question, 1, 5)
        }
        // Its descendants must not outlive it, nor hold its outputs open.
        child.signalGroup(SIGKILL)
        child.reap()
        close(child.pidfd)
        exec.end()
        _ = output.read(portion: most, scratch: &scratch) { outcome.output.append($0) }
        _ = errors.read(portion: most, scratch: &scratch) { outcome.errors.append($0) }
        output.close { outcome.output.append($0) }
        errors.close { outcome.errors.append($0) }
        if case .failed(let failure) = start { throw failure }
        return outcome
    }
}
