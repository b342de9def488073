internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// What a turn reads of the notify socket.
    private static let notifyPortion = 64
    /// What the socket that had more waits before it is read again.
    ///
    /// In nanoseconds, and in times of what the portion took: who sends all the time, a stranger maybe,
    /// gets a fifth of this thread.
    private static let shortestNotifyPause: Int64 = 2_000_000
    private static let notifyPauseFactor: Int64 = 4

    /// The notify socket while it is open, and what reading it has come to.
    struct Notifications {
        var socket: NotifySocket?
        /// When to go on after a portion that was not the last; nil: an event tells.
        var resumeAt: Int64?
        /// Strangers are told of once, not as often as they like.
        var hasToldStranger = false
        var buffer = [UInt8](repeating: 0, count: NotifyMessage.sizeLimit)
    }

    /// Opens the notify socket; without it processes are started all the same, and not told of one.
    func openNotifySocket() {
        do {
            let socket = try NotifySocket(in: directory)
            notifications.socket = socket
            try loop.add(socket.descriptor, token: Source.notify.token(0))
        } catch {
            notifications.socket?.close()
            notifications.socket = nil
            log.error("processes cannot tell their state (sd_notify): \(error)")
        }
    }

    func closeNotifySocket() {
        notifications.socket?.close()
        notifications.socket = nil
        notifications.resumeAt = nil
    }

    /// Reads a portion of what has come.
    func readNotifications() {
        guard let socket = notifications.socket else { return }
        notifications.resumeAt = nil
        let start = Clock.monotonic()
        for _ in 0..<Self.notifyPortion {
            guard let (pid, message) = socket.receive(into: &notifications.buffer) else { return }
            guard let process = sender(pid) else {
                tellOfStranger(pid)
                continue
            }
            if let message { take(message, from: process) }
        }
        let end = Clock.monotonic()
        notifications.resumeAt =
            end + max(Self.shortestNotifyPause, (end - start) * Self.notifyPauseFactor)
    }

    func resumeNotifications(now: Int64) {
        if let time = notifications.resumeAt, time <= now { readNotifications() }
    }

    /// Recycles a process that has not said for too long that it is alive.
    func checkWatchdog(_ process: ManagedProcess, now: Int64) {
        let span = Interval(nanoseconds: process.watchdog.interval).seconds
        guard process.watchdog.isMissed(now: now), process.isUncollected else { return }
        loseWatchdog(process, "no WATCHDOG=1 for \(span) s")
    }

    /// The process of ours that a pid belongs to; nil: a stranger, or it has ended meanwhile.
    ///
    /// Its process group, session or cgroup tells, in the order of their cost. None can be a
    /// stranger's: a process cannot enter the group or session of another session's.
    private func sender(_ pid: Int32) -> ManagedProcess? {
        guard pid > 0 else { return nil }
        let (group, session) = (getpgid(pid), getsid(pid))
        for process in processes.values where process.isUncollected {
            let leader = process.child.pid
            if leader == pid || leader == group || leader == session { return process }
        }
        guard let memberships = ProcFile.text("/proc/\(pid)/cgroup") else { return nil }
        return processes.values.first { process in
            guard process.isUncollected, let name = process.cgroup?.name else { return false }
            return memberships.contains("/\(name)\n") || memberships.contains("/\(name)/")
        }
    }

    private func tellOfStranger(_ pid: Int32) {
        if notifications.hasToldStranger { return }
        notifications.hasToldStranger = true
        log.notice(
            """
            a notification of pid \(pid), which is none of the processes or has ended already, \
            was ignored; others are ignored without a word
            """)
    }

    private func take(_ message: NotifyMessage, from process: ManagedProcess) {
        let now = Clock.monotonic()
        if let interval = message.watchdogInterval {
            process.watchdog.setInterval(interval, now: now)
        }
        switch message.watchdog {
        case .alive: process.watchdog.alive(now: now)
        case .broken:
            process.watchdog.end()
            loseWatchdog(process, "it said WATCHDOG=trigger")
        case nil: break
        }
        if message.isReady { becomeReady(process) }
        guard message.hasNote else { return }
        // Each of these takes the group's lock, which the data path wants too.
        guard process.noteBucket.admits(now: now) else { return tellOfFlood(process) }
        if let time = message.extraTime {
            note(process, .extendTimeout(Interval(nanoseconds: time)))
        }
        if let status = message.status { note(process, .status(status)) }
        if let isBusy = message.isBusy { note(process, .busy(isBusy)) }
        if message.isStopping { note(process, .stopping) }
    }

    private func tellOfFlood(_ process: ManagedProcess) {
        if process.hasFloodedNotes { return }
        process.hasFloodedNotes = true
        log.warning(
            "process \(process.label) tells its state too often; some of it is ignored from now on")
    }

    private func note(_ process: ManagedProcess, _ note: ProcessNote) {
        groups[process.key.group].noted(process.key.handle, note, now: now())
    }

    private func loseWatchdog(_ process: ManagedProcess, _ why: String) {
        log.warning("process \(process.label) is recycled: \(why)")
        groups[process.key.group].recycle(process.key.handle, reason: .watchdog, now: now())
    }
}
