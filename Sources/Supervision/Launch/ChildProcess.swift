internal import CLinux
internal import Glibc
internal import Reactor

/// A running child, or an adopted process of another parent: its pid, its pidfd, and the reading
/// ends of its output pipes.
///
/// A plain value; its owner closes the descriptors.
struct ChildProcess: Equatable, Sendable {
    let pid: Int32
    let pidfd: Int32
    /// -1: cannot be read.
    let output: Int32
    let errors: Int32
    /// Whether it started in the cgroup of its command.
    var isInCgroup = false
    /// For an adopted process, whose pid may be reused as soon as its parent has reaped it.
    var startTime: UInt64?

    /// A completely resolved command.
    struct Command: Equatable, Sendable {
        var arguments: [String]
        /// `NAME=value` entries.
        var environment: [String]
        var directory: String
        /// The search path for programs without a slash.
        var path: String
        var isolation = Isolation()
        /// Its output, for processes that may outlive this program; nil: pipes.
        var fifos: OutputFifos?
        /// The cgroup in which it starts; nil: Mooring's.
        var cgroup: Cgroup?

        /// The candidate paths of its program.
        var candidates: [String] {
            ExecutableSearch.candidates(arguments.first ?? "", path: path)
        }
    }

    /// Starts a child with `input` as its standard input.
    ///
    /// It survives this program's exit; see `Guardian` for those that must not.
    ///
    /// - Returns: the child, and its pending exec.
    static func spawn(
        _ command: Command, input: Int32
    ) throws(SpawnFailure) -> (ChildProcess, PendingExec) {
        guard let program = command.arguments.first, !program.isEmpty else {
            throw SpawnFailure(errno: EINVAL, step: "exec", advice: "the command is empty")
        }
        for text in command.arguments + command.environment where text.utf8.contains(0) {
            throw SpawnFailure(
                errno: EINVAL, subject: program, step: "exec",
                advice: "an argument or environment value has a NUL byte in it")
        }
        let output = try OutputChannel(fifo: command.fifos?.output)
        let errors: OutputChannel
        do {
            errors = try OutputChannel(fifo: command.fifos?.errors)
        } catch {
            output.close()
            throw error
        }
        if let account = command.isolation.account {
            // Otherwise the child could not open its own /dev/stdout.
            fchown(output.writing, account.user, account.group)
            fchown(errors.writing, account.user, account.group)
        }
        let started = unsafe launch(command, input, output.writing, errors.writing)
        // The child has its own copies; with ours open the pipes would never end.
        Glibc.close(output.writing)
        Glibc.close(errors.writing)
        guard unsafe started.pid > 0, let launch = unsafe started.launch else {
            Glibc.close(output.reading)
            Glibc.close(errors.reading)
            throw SpawnFailure(unsafe started.failure, of: command)
        }
        let child = ChildProcess(
            pid: unsafe started.pid, pidfd: unsafe started.pidfd, output: output.reading,
            errors: errors.reading, isInCgroup: unsafe started.in_cgroup)
        return (child, unsafe PendingExec(launch, of: command))
    }

    /// Its exit status; the child stays a zombie, so its pid and process group cannot be reused.
    func peekExit() -> ExitStatus? {
        var native = mooring_exit()
        let result = unsafe mooring_wait_peek(pidfd, &native)
        if result == 1 { return ExitStatus(native) }
        return result == -ECHILD && mooring_pidfd_ended(pidfd) ? .unknown : nil
    }

    /// Reaps the child; only after `peekExit` has returned its status.
    func reap() { _ = mooring_wait_reap(pidfd) }

    /// Signals the leader and its whole process group; only before `reap`.
    ///
    /// An adopted leader may have been reaped by its parent. While its group has members, the
    /// number cannot be reused; if another process has the number, the group is empty.
    func signalGroup(_ signal: Int32) {
        if let startTime, let current = ProcessIdentity.startTime(of: pid), current != startTime {
            return
        }
        _ = mooring_signal_group(pid, signal)
    }

    private static func launch(
        _ command: Command, _ input: Int32, _ output: Int32, _ errors: Int32
    ) -> mooring_spawned {
        let isolation = command.isolation
        let limits = isolation.limits.map { limit in
            mooring_limit(
                resource: unsafe mooring_limit_number(limit.resource.rawValue),
                value: limit.value ?? .max)
        }
        let groups = isolation.account?.supplementaryGroups ?? []
        let cgroup = command.cgroup?.openDirectory() ?? -1
        defer { if cgroup >= 0 { Glibc.close(cgroup) } }
        return unsafe withCStrings(command.arguments) { arguments in
            unsafe withCStrings(command.environment) { environment in
                unsafe withCStrings(command.candidates) { paths in
                    unsafe command.directory.withCString { directory in
                        unsafe limits.withUnsafeBufferPointer { limits in
                            unsafe groups.withUnsafeBufferPointer { groups in
                                var what = unsafe mooring_spawn(
                                    paths: paths, arguments: arguments, environment: environment,
                                    directory: directory, input: input, output: output,
                                    error: errors, mask: isolation.umask & 0o777,
                                    no_new_privileges: isolation.noNewPrivileges,
                                    limits: limits.baseAddress, limit_count: Int32(limits.count),
                                    switches_user: isolation.switches(from: geteuid(), getegid()),
                                    user: isolation.account?.user ?? 0,
                                    group: isolation.account?.group ?? 0,
                                    groups: groups.baseAddress, group_count: Int32(groups.count),
                                    cgroup: cgroup)
                                return unsafe mooring_spawn(&what)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Passes the strings as a NULL-terminated C array, valid during the call.
    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe strings.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else {
                preconditionFailure("the array ends with a nil, so it has a base address")
            }
            return unsafe body(base)
        }
    }
}
