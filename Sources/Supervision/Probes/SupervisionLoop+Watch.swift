internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Sets up what its launch asks for beside the process itself: health checks, a memory limit, a
    /// file for what it writes.
    ///
    /// - Parameter isReady: whether it serves already, as one that is adopted may.
    func watch(
        _ process: ManagedProcess, _ launch: LaunchSpec, address: SocketAddress, isReady: Bool
    ) {
        process.health = launch.health.map {
            HealthMonitor(
                $0, address: address, user: launch.userOfSocket, isReady: isReady,
                now: Clock.monotonic())
        }
        process.saysReadyEarly = launch.isHosted
        process.memoryLimit = launch.maxMemory
        if let path = launch.outputFile, let writer = startedWriter() {
            let target = outputTargets[path] ?? OutputTarget(path: path)
            outputTargets[path] = target
            process.file = TaggedLines(
                target: target, writer: writer, group: launch.groupName, label: process.label,
                pid: process.child.pid)
        }
    }

    /// Opens the output files anew, after log rotation has moved them.
    func reopenOutput() { outputWriter?.reopen() }

    /// The writer of output files; without its thread the lines go to the log.
    private func startedWriter() -> OutputWriter? {
        if let outputWriter { return outputWriter }
        do {
            outputWriter = try OutputWriter(log: log)
        } catch {
            log.error("the output files of groups cannot be written: \(error)")
        }
        return outputWriter
    }
}
