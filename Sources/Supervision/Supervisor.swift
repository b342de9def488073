package import Backends
internal import CLinux
internal import Dispatch
internal import Glibc
package import Logging
package import Reactor
internal import Synchronization

/// Executes the registry's orders about processes, and reports the results.
///
/// One thread does everything: it adopts processes of an earlier balancer, spawns, probes for
/// readiness, reads output, signals and reaps processes, reads this program's own signals, and
/// drives the registry's time. The methods may be called from any thread.
package final class Supervisor: Sendable {
    private static let ownSignals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2]
    /// Two would reap each other's children.
    private static let isRunning = Mutex(false)

    private enum Stage {
        case prepared(EventLoop)
        case running
        case stopped
    }

    private struct State {
        var stage: Stage
        var groups: [any SupervisedGroup] = []
        var retired: [RetiredGroup] = []
    }

    private let directory: RuntimeDirectory
    private let stateDirectory: StateDirectory?
    private let launches: [LaunchSpec?]
    private let log: Logger
    private let onSignal: @Sendable (Int32) -> Void
    private let mailbox: Mailbox<SupervisionMessage>
    /// The liveness of the loop.
    package let pulse = Pulse(name: "supervision")
    private let waker: Waker
    private let processes = ProcessDirectory()
    private let state: Mutex<State>
    private let finished = DispatchGroup()

    /// Prepares the directories; nothing runs before `start`.
    ///
    /// - Parameters:
    ///   - stateDirectory: where processes are recorded, for a later balancer to adopt them; nil:
    ///     they are killed when this program ends, however it ends. An unwritable one is logged.
    ///   - launches: one for each group, nil for external ones.
    ///   - onSignal: called for SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2, on supervision's
    ///     thread, which it must not block; `stop` would deadlock there.
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

    /// Nil if unavailable; an error if it is not safe to use.
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

    /// Checks that an existing runtime directory is this user's own, so that sockets in it are
    /// genuine.
    ///
    /// - Throws: `SupervisionError` with the problem.
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

    /// The files that `start` creates in the runtime directory, to be removed at the end.
    package static func hostFiles(inRuntimeDirectory path: String) -> [String] {
        HostProgram.files.map(\.name).map { "\(RuntimeDirectory.hostFolder(in: path))/\($0)" }
    }

    /// Removes the files that `start` has created there.
    package static func removeHostFiles(inRuntimeDirectory path: String) {
        for file in hostFiles(inRuntimeDirectory: path) { unsafe unlink(file) }
        // Python may have created a folder of its own in it; then it stays.
        unsafe rmdir(RuntimeDirectory.hostFolder(in: path))
    }

    /// Prevents the signals passed to `onSignal` from ending the program.
    ///
    /// Call it first in `main`: threads inherit the mask when they start.
    package static func blockSignals() {
        let signals = ownSignals + [SIGCHLD]
        let result = unsafe mooring_block_signals(signals, Int32(signals.count))
        precondition(result == 0, "pthread_sigmask refuses nothing but wrong arguments")
        mooring_default_sigchld()
    }

    /// The groups whose orders this carries out, in the order of `launches`, and behind them those that
    /// are `retired`; once, before `start`.
    package func attach(groups: [Group], retired: [RetiredGroup]) { attach(groups, retired) }

    /// `attach(groups:retired:)` for anything that takes the facts.
    func attach(_ groups: [any SupervisedGroup], _ retired: [RetiredGroup] = []) {
        precondition(
            groups.count == launches.count + retired.count, "one launch for each group")
        state.withLock { state in
            state.groups = groups
            state.retired = retired
        }
    }

    /// The records that tell of living processes of a group which none of the launches is of.
    var livingRecords: [ProcessRecord] {
        guard let stateDirectory, let boot = ProcessIdentity.currentBoot() else { return [] }
        let names = Set(launches.compactMap { $0?.groupName })
        return stateDirectory.labels().compactMap { try? stateDirectory.read($0) }
            .filter { record in
                record.boot == boot && !names.contains(record.group)
                    && !record.isAnothers(than: directory)
                    && ProcessIdentity.exists(record.process)
            }
    }

    /// Writes the Python host program and starts the thread; when it returns, processes of an
    /// earlier balancer are adopted or being stopped, and stale sockets are removed.
    ///
    /// Once, after `attach` and before the groups are started. From here on, until `stop`, this
    /// program adopts descendants whose parents have exited (PR_SET_CHILD_SUBREAPER).
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

    /// Orders of the registry, executed one after the other.
    package func carryOut(_ orders: [SupervisionOrder], group: Int) {
        mailbox.post(.orders(orders, group: group))
    }

    /// Sends the loop a liveness check.
    package func checkLiveness(now: Int64) {
        if pulse.ask(now: now) { mailbox.post(.livenessCheck) }
    }

    /// A group's `nextDeadline` has become earlier.
    package func wake() { waker.wake() }

    /// Sets the launch of one generation of a group from now on.
    ///
    /// A generation without its own launch uses the newest earlier one, so set a launch before its
    /// generation begins (`Group.reconfigure`).
    package func setLaunch(_ launch: LaunchSpec, group: Int, generation: Int) {
        mailbox.post(.launch(launch, group: group, generation: generation))
    }

    /// Adds the groups of a changed configuration after the existing ones.
    ///
    /// - Parameters:
    ///   - launches: one for each group, nil for external ones; those of existing groups are not
    ///     changed: see `setLaunch`.
    ///   - groups: all of them; start the new ones afterwards.
    package func update(launches: [LaunchSpec?], groups: [Group]) { update(launches, groups) }

    /// `update(launches:groups:)` for any receiver of the facts.
    func update(_ launches: [LaunchSpec?], _ groups: [any SupervisedGroup]) {
        precondition(groups.count == launches.count, "one launch for each group")
        mailbox.post(.grow(launches, groups))
    }

    /// Takes what an application has said beside a response (FastCGI's stderr), as if its process had written it.
    ///
    /// - Parameters:
    ///   - name: of the group.
    ///   - label: of the process, also of one that Mooring has not started.
    package func hear(
        _ bytes: [UInt8], of process: ProcessHandle, group: Int, name: String, label: String
    ) {
        mailbox.post(
            .heard(
                bytes, ProcessKey(group: group, handle: process), name: name, label: label))
    }

    /// Updates the external servers that have health checks, or names to look up.
    ///
    /// - Parameters:
    ///   - secure: by group how TLS is spoken to its servers.
    ///   - names: where names are looked up.
    package func watchServers(
        secure: [Int: [ProcessAddress: SecureServer]], names: NameService
    ) {
        mailbox.post(.watchServers(secure, names))
    }

    /// Releases every process without touching it, for another balancer to adopt.
    ///
    /// When it returns, adoption may begin; it blocks the caller for a moment. The thread
    /// continues: it passes this program's signals on, drives the groups' time, and reaps exiting
    /// children. Orders are no longer executed; `stop` returns at once. Harmless when repeated, and
    /// when nothing was started.
    package func leave() {
        let answer = DispatchSemaphore(value: 0)
        let isRunning = state.withLock { state in
            guard case .running = state.stage else { return false }
            mailbox.post(.leave(answer))
            return true
        }
        if isRunning { answer.wait() }
    }

    /// Kills every process group at once, without waiting for `stop_timeout`.
    ///
    /// Groups that were not shut down start their processes again.
    package func killAll() { mailbox.post(.killAll) }

    /// Ends the thread once every process is gone, and waits for that; blocks the caller.
    ///
    /// Shut the groups down first, since they order the processes to stop. Harmless when repeated
    /// or before `start`.
    package func stop() {
        mailbox.post(.stop)
        finished.wait()
    }

    /// The last output lines of a living process, oldest first.
    ///
    /// At most 200 lines and 64 KiB, without control characters; none when it is gone.
    package func output(of process: ProcessHandle, group: Int) -> [String] {
        processes[ProcessKey(group: group, handle: process)]?.lines.last() ?? []
    }

    /// Reopens the groups' output files by name, after log rotation.
    package func reopenOutput() { mailbox.post(.reopenOutput) }

    /// The resource usage of the living processes, each with its whole process group, by the
    /// leader's pid.
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
                // Nothing would reap descendants adopted from now on.
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
        let (stage, groups, retired) = state.withLock { state in
            defer { state.stage = .running }
            return (state.stage, state.groups, state.retired)
        }
        guard case .prepared(let loop) = stage else {
            preconditionFailure("a supervisor is started once")
        }
        let supervision = SupervisionLoop(
            loop: loop,
            inbox: Inbox(mailbox, pulse: pulse, signals: signals, onSignal: onSignal),
            processes: processes, directory: directory, state: stateDirectory,
            launching: Launching(launches, retired: retired.count, input: null),
            adoption: Adoption(retired: retired), groups: groups, log: log)
        supervision.run(onAdopted: onAdopted)
        state.withLock { $0.stage = .stopped }
        supervision.answerLeavers()
    }
}
