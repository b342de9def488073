package import Backends
internal import CLinux
internal import Dispatch
internal import Glibc
package import Logging
package import Reactor
internal import Synchronization

/// Carries out what the registry orders on processes, and tells it what became of them.
///
/// One thread does it all: it adopts what an earlier balancer left, spawns, looks whether processes
/// accept connections, reads their output, signals and collects them, reads this program's
/// own signals, and drives the registry's time. The methods may be called from any thread.
package final class Supervisor: Sendable {
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
    private let stateDirectory: StateDirectory?
    private let launches: [LaunchSpec?]
    private let log: Logger
    private let onSignal: @Sendable (Int32) -> Void
    private let mailbox: Mailbox<SupervisionMessage>
    /// The sign of life of the loop.
    package let pulse = Pulse(name: "supervision")
    private let waker: Waker
    private let processes = ProcessDirectory()
    private let state: Mutex<State>
    private let finished = DispatchGroup()

    /// Prepares the directories; nothing runs before `start`.
    ///
    /// - Parameters:
    ///   - stateDirectory: where processes are recorded, for a later balancer to adopt them; nil: they
    ///     end with this program, however it ends. One that cannot be written is told of in the log.
    ///   - launches: one for each group, nil for external ones.
    ///   - onSignal: told of SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2, on supervision's thread,
    ///     which it must not keep waiting; `stop` would wait for ever there.
    /// - Throws: `SupervisionError`.
    package init(
        runtimeDirectory: String, stateDirectory: String? = nil, launches: [LaunchSpec?],
        log: Logger, onSignal: @escaping @Sendable (Int32) -> Void
    ) throws(SupervisionError) {
        directory = try RuntimeDirectory(preparing: runtimeDirectory)
        self.stateDirectory = try Self.prepare(stateDirectory, log)
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

    /// Nil where it cannot be had; where it must not be used that is an error.
    private static func prepare(
        _ stateDirectory: String?, _ log: Logger
    ) throws(SupervisionError) -> StateDirectory? {
        guard let stateDirectory else { return nil }
        do {
            return try StateDirectory(preparing: stateDirectory)
        } catch {
            guard error.errno != nil else { throw SupervisionError(stateDirectory: error) }
            log.error(
                """
                the state directory \(error.path) cannot be used: \(error.sentence); processes end \
                with this balancer, however it ends; make it writable, or set state_dir
                """)
            return nil
        }
    }

    /// Whether a runtime directory that is there is this user's own, so that a socket in it is what it
    /// seems to be.
    ///
    /// - Throws: `SupervisionError` that says what is wrong with it.
    package static func check(runtimeDirectory path: String) throws(SupervisionError) {
        do {
            _ = try PrivateDirectory(checking: path)
        } catch {
            throw SupervisionError(runtimeDirectory: error)
        }
    }

    /// Where `start` puts the Python host program, as an absolute path for `LaunchSpec.wsgi`.
    package static func hostFile(inRuntimeDirectory path: String) -> String {
        "\(RuntimeDirectory.hostFolder(in: path))/\(HostProgram.main)"
    }

    /// What `start` leaves in the runtime directory, to be removed at the end.
    package static func hostFiles(inRuntimeDirectory path: String) -> [String] {
        HostProgram.files.map(\.name).map { "\(RuntimeDirectory.hostFolder(in: path))/\($0)" }
    }

    /// Removes what `start` has left there.
    package static func removeHostFiles(inRuntimeDirectory path: String) {
        for file in hostFiles(inRuntimeDirectory: path) { unsafe unlink(file) }
        // Python may have left a folder of its own in it, and then it stays.
        unsafe rmdir(RuntimeDirectory.hostFolder(in: path))
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

    /// Writes the Python host program and starts the thread; when it returns, what an earlier balancer
    /// left is adopted or told to end, and stale sockets are removed.
    ///
    /// Once, after `attach` and before the groups are started. From here on, until `stop`, this program adopts descendants whose parents have ended
    /// (PR_SET_CHILD_SUBREAPER).
    package func start() throws(SupervisionError) {
        try directory.writeHost(HostProgram.files)
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

    /// Asks the loop for a sign of life.
    package func checkLiveness(now: Int64) {
        if pulse.ask(now: now) { mailbox.post(.livenessCheck) }
    }

    /// A group's `nextDeadline` has moved forward.
    package func wake() { waker.wake() }

    /// By what the processes of one generation of a group are started from now on.
    ///
    /// A generation without a launch of its own has that of the newest one before it, so a launch is
    /// to be set before the generation is begun (`Group.reconfigure`).
    package func setLaunch(_ launch: LaunchSpec, group: Int, generation: Int) {
        mailbox.post(.launch(launch, group: group, generation: generation))
    }

    /// Takes up groups that a changed configuration brought, behind those that there are.
    ///
    /// - Parameters:
    ///   - launches: one for each group, nil for external ones; those of groups that were there before
    ///     are left as they are: see `setLaunch`.
    ///   - groups: all of them; the new ones are to be started afterwards.
    package func update(launches: [LaunchSpec?], groups: [Group]) { update(launches, groups) }

    /// `update(launches:groups:)` for anything that takes the facts.
    func update(_ launches: [LaunchSpec?], _ groups: [any SupervisedGroup]) {
        precondition(groups.count == launches.count, "one launch for each group")
        mailbox.post(.grow(launches, groups))
    }

    /// Looks anew which external servers are to be asked for their health.
    package func watchServers() { mailbox.post(.watchServers) }

    /// Lets go of every process without touching it, for another balancer to adopt.
    ///
    /// When it returns that may begin; it blocks the caller for a moment. The thread goes on: it passes this program's signals on, drives the groups' time, and collects
    /// the children that end. Orders are not carried out any more; `stop` returns at once. Harmless
    /// when repeated, and when nothing was started.
    package func leave() {
        let answer = DispatchSemaphore(value: 0)
        let isRunning = state.withLock { state in
            guard case .running = state.stage else { return false }
            mailbox.post(.leave(answer))
            return true
        }
        if isRunning { answer.wait() }
    }

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
        let adopted = DispatchSemaphore(value: 0)
        do {
            try LoopThread.start(name: pulse.name) { [self] in
                runThread(signals: signalDescriptor, null: null) { adopted.signal() }
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
        adopted.wait()
    }

    private func runThread(signals: Int32, null: Int32, onAdopted: () -> Void) {
        let (stage, groups) = state.withLock { state in
            defer { state.stage = .running }
            return (state.stage, state.groups)
        }
        guard case .prepared(let loop) = stage else {
            preconditionFailure("a supervisor is started once")
        }
        let supervision = SupervisionLoop(
            loop: loop,
            inbox: Inbox(mailbox, pulse: pulse, signals: signals, onSignal: onSignal),
            processes: processes, directory: directory, state: stateDirectory,
            launching: Launching(launches, input: null), groups: groups, log: log)
        supervision.run(onAdopted: onAdopted)
        state.withLock { $0.stage = .stopped }
        supervision.answerLeavers()
    }
}
