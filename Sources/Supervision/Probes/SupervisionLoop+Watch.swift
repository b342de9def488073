internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Sets up health checks, a memory limit and an output file, as its launch specifies.
    ///
    /// - Parameter isReady: whether it serves already, as an adopted process may.
    func watch(
        _ process: ManagedProcess, _ launch: LaunchSpec, address: SocketAddress, isReady: Bool
    ) {
        process.health = launch.health.map {
            HealthMonitor(
                $0, address: address, user: launch.userOfSocket, isReady: isReady,
                now: Clock.monotonic())
        }
        process.sendsReadyEarly = launch.isHosted
        process.memoryLimit = launch.maxMemory
        redirect(process, to: launch.outputFile, group: launch.groupName)
    }

    /// Has what a process writes go to a file, if its group has one.
    func redirect(_ process: ManagedProcess, to path: String?, group: String) {
        process.file = path.flatMap {
            output.lines(
                to: $0, group: group, label: process.label, pid: process.child.pid, log: log)
        }
    }
}
