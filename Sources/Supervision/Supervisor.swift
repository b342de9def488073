package import Backends
internal import CLinux
internal import Dispatch
internal import Glibc
package import Logging
internal import Reactor
internal import Synchronization

/// Carries out what the registry orders on processes, and tells it what became of them.
///
/// One thread does it all: it spawns (parent-death signals follow the spawning thread), looks whether
/// processes accept connections, reads their output, signals and collects them, reads this program's
/// own signals, and drives the registry's time. The methods may be called from any thread.
package final class Supervisor: Sendable {
    /// The Python host program inside the runtime directory.
    private static let hostFileName = "mooring_host.py"
    /// The server that the host program falls back to, beside it.
    private static let serverFileName = "mooring_server.py"
    private static let ownSignals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2]
    /// Two would collect each other's children.
    private static let isRunning = Mutex(false)

    private enum Stage {
        case prepared(EventLoop)
        case running
        case stopped
    }

    private struct State {
        var stage: Stage
        var groups: [any SupervisedGroup] = []
    }

    private let directory: RuntimeDirectory
    private let launches: [LaunchSpec?]
    private let log: Logger
    private let onSignal: @Sendable (Int32) -> Void
    private let mailbox: Mailbox<SupervisionMessage>
    private let waker: Waker
    private let processes = ProcessDirectory()
    private let state: Mutex<State>
    private let finished = DispatchGroup()

    /// Prepares the runtime directory; nothing runs before `start`.
    ///
    /// - Parameters:
    ///   - launches: one for each group, nil for external ones.
    ///   - onSignal: told of SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2, on supervision's thread,
    ///     which it must not keep waiting; `stop` would wait for ever there.
    /// - Throws: `SupervisionError`.
    package init(
        runtimeDirectory: String, launches: [LaunchSpec?], log: Logger,
        onSignal: @escaping @Sendable (Int32) -> Void
    ) throws(SupervisionError) {
        directory = try RuntimeDirectory(preparing: runtimeDirectory)
        self.launches = launches
        self.log = log
        self.onSignal = onSignal
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            throw .system(error)
        }
        waker = loop.waker
        mailbox = Mailbox(waker: loop.waker)
        state = Mutex(State(stage: .prepared(loop)))
    }

    /// Where `start` puts the Python host program, as an absolute path for `LaunchSpec.wsgi`.
    package static func hostFile(inRuntimeDirectory path: String) -> String {
        "\(RuntimeDirectory.absolute(path))/\(hostFileName)"
    }

    /// What `start` leaves in the runtime directory, to be removed at the end.
    package static func hostFiles(inRuntimeDirectory path: String) -> [String] {
        [hostFileName, serverFileName].map { "\(RuntimeDirectory.absolute(path))/\($0)" }
    }

    /// Keeps the signals that `onSignal` is told of from ending the program.
    ///
    /// To be called first in `main`: threads inherit what is blocked when they start.
    package static func blockSignals() {
        let signals = ownSignals + [SIGCHLD]
        let result = unsafe mooring_block_signals(signals, Int32(signals.count))
        precondition(result == 0, "pthread_sigmask refuses nothing but wrong arguments")
        mooring_default_sigchld()
    }

    /// The groups whose orders this carries out, in the order of `launches`; once, before `start`.
    package func attach(groups: [Group]) { attach(groups) }

    /// `attach(groups:)` for anything that takes the facts.
    func attach(_ groups: [any SupervisedGroup]) {
        precondition(groups.count == launches.count, "one launch for each group")
        state.withLock { $0.groups = groups }
    }

    /// Writes the Python host program, removes stale sockets and starts the thread.
    ///
    /// Once. From here on, until `stop`, this program adopts descendants whose parents have ended
    /// (PR_SET_CHILD_SUBREAPER).
    package func start() throws(SupervisionError) {
        // Processes of other users read them too; the directory says who comes near.
        try directory.write(PackageResources.mooring_host_py, as: Self.hostFileName, mode: 0o644)
        try directory.write(
            PackageResources.mooring_server_py, as: Self.serverFileName, mode: 0o644)
        for path in directory.removeStaleSockets() { log.info("removed the stale socket \(path)") }
        let claimed = Self.isRunning.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        if !claimed { throw .alreadyRunning }
        do {
            try startThread()
        } catch {
            Self.isRunning.withLock { $0 = false }
            throw .system(error)
        }
    }

    /// Orders of the registry, carried out one after the other.
    package func carryOut(_ orders: [SupervisionOrder], group: Int) {
        mailbox.post(.orders(orders, group: group))
    }

    /// A group's `nextDeadline` has moved forward.
    package func wake() { waker.wake() }

    /// Kills every process group at once, for whoever does not want to wait for `stop_timeout`.
    ///
    /// Groups that have not been shut down start their processes anew.
    package func killAll() { mailbox.post(.killAll) }

    /// Ends the thread once every process is gone, and waits for that; blocks the caller.
    ///
    /// The groups are to be shut down first, since it is they who order the processes to stop.
    /// Harmless when repeated or before `start`.
    package func stop() {
        mailbox.post(.stop)
        finished.wait()
    }

    /// The last lines that a living process wrote to stdout and stderr, oldest first.
    ///
    /// At most 200 lines and 64 KiB, without control characters; none when it is gone.
    package func output(of process: ProcessHandle, group: Int) -> [String] {
        processes[ProcessKey(group: group, handle: process)]?.lines.last() ?? []
    }

    /// Opens the groups' output files anew by their names, after log rotation has moved them.
    package func reopenOutput() { mailbox.post(.reopenOutput) }

    /// What the living processes use, each with its whole process group, by the leader's pid.
    ///
    /// Reads all of /proc: for statistics, not for every request.
    package func usage() -> [Int32: ProcessUsage] { ProcessUsage.ofGroups(processes.pids) }

    private func startThread() throws(SystemError) {
        try SystemError.check(mooring_set_subreaper(true), "PR_SET_CHILD_SUBREAPER")
        let signals = Self.ownSignals + [SIGCHLD]
        let signalDescriptor = try SystemError.check(
            unsafe mooring_signalfd(signals, Int32(signals.count)), "signalfd")
        let null = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard null >= 0 else {
            let code = errno
            close(signalDescriptor)
            throw SystemError(call: "open /dev/null", errno: code)
        }
        finished.enter()
        do {
            try LoopThread.start(name: "supervision") { [self] in
                runThread(signals: signalDescriptor, null: null)
                // Nobody collects what would be adopted from now on.
                _ = mooring_set_subreaper(false)
                close(signalDescriptor)
                close(null)
                Self.isRunning.withLock { $0 = false }
                finished.leave()
            }
        } catch {
            close(signalDescriptor)
            close(null)
            finished.leave()
            throw error
        }
    }

    private func runThread(signals: Int32, null: Int32) {
        let (stage, groups) = state.withLock { state in
            defer { state.stage = .running }
            return (state.stage, state.groups)
        }
        guard case .prepared(let loop) = stage else {
            preconditionFailure("a supervisor is started once")
        }
        let supervision = SupervisionLoop(
            loop: loop, mailbox: mailbox, processes: processes, directory: directory,
            launches: launches, groups: groups, log: log, input: null, signals: signals,
            onSignal: onSignal)
        supervision.run()
        state.withLock { $0.stage = .stopped }
    }
}
