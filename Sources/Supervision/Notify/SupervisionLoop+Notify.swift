internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// The most that a turn reads from the notify socket: datagrams, and nanoseconds.
    private static let notifyPortion = 32
    private static let notifySpan: Int64 = 1_000_000

    /// Opens the notify socket; if that fails, processes start without `NOTIFY_SOCKET`.
    func openNotifySocket() {
        do {
            let socket = try NotifySocket(in: directory)
            notifications.socket = socket
            try loop.add(socket.descriptor, token: EventSource.notify.token(0))
        } catch {
            notifications.socket?.close()
            notifications.socket = nil
            log.error("processes cannot tell their state (sd_notify): \(error)")
        }
    }

    func closeNotifySocket() {
        notifications.socket?.close(isInUse: notifications.drops.isPending)
        notifications.socket = nil
        notifications.resumeAt = nil
    }

    /// Reads a portion of the datagrams; the rest waits for a time that depends on the senders.
    func readNotifications() {
        guard let socket = notifications.socket, notifications.resumeAt == nil else { return }
        let start = Clock.monotonic()
        notifications.strangers = []
        var foreign = 0
        var read = 0
        while read < Self.notifyPortion, Clock.monotonic() - start < Self.notifySpan {
            guard let datagram = socket.receive(into: &notifications.buffer) else { return }
            read += 1
            let process = process(of: datagram.sender)
            if let process, let count = datagram.count {
                take(NotifyMessage(notifications.buffer.span.extracting(0..<count)), from: process)
            } else if process == nil {
                foreign += 1
                logStranger(datagram.sender.pid)
            }
            if datagram.hasDescriptors {
                notifications.drop(isForeign: process == nil, now: Clock.monotonic())
                return loop.remove(socket.descriptor)
            }
        }
        let end = Clock.monotonic()
        notifications.rest(isForeign: foreign > read / 2, spent: end - start, now: end)
        // Otherwise every further datagram would be an event.
        loop.remove(socket.descriptor)
    }

    func resumeNotifications(now: Int64) {
        guard let time = notifications.resumeAt, time <= now, let socket = notifications.socket
        else { return }
        if notifications.drops.isPending {
            notifications.drops.advance(on: socket)
            if notifications.drops.isPending {
                return notifications.rest(isForeign: true, spent: 0, now: now)
            }
        }
        notifications.resumeAt = nil
        do {
            try loop.add(socket.descriptor, token: EventSource.notify.token(0))
        } catch {
            // The kernel is short of memory: retry later.
            notifications.rest(isForeign: true, spent: 0, now: now)
        }
    }

    /// Recycles a process that has not sent WATCHDOG=1 in time.
    func checkWatchdog(_ process: ManagedProcess, now: Int64) {
        // It may have sent it, without supervision having read it.
        if process.watchdog.deadline != nil, notifications.drops.isHeldUp(now: now) {
            process.watchdog.alive(now: now)
        }
        let span = Interval(nanoseconds: process.watchdog.interval).seconds
        guard process.watchdog.isMissed(now: now), process.isUncollected else { return }
        loseWatchdog(process, "no WATCHDOG=1 for \(span) s")
    }

    /// The process that a sender belongs to; nil: a foreign process, or it has exited meanwhile.
    ///
    /// Found by its process group, session or cgroup, in the order of their cost. None can be
    /// forged: a process cannot enter the group or session of another session.
    private func process(of sender: NotifySocket.Sender) -> ManagedProcess? {
        let pid = sender.pid
        guard pid > 0, !notifications.strangers.contains(pid) else { return nil }
        let (group, session) = (getpgid(pid), getsid(pid))
        var mayBeOurs = false
        for process in processes.values where process.isUncollected {
            let leader = process.child.pid
            if leader == pid || leader == group || leader == session { return process }
            // Only root, and processes started as root, can have changed their user.
            if process.user == sender.user || process.user == 0 { mayBeOurs = true }
        }
        if mayBeOurs, let process = processByCgroup(of: pid) { return process }
        notifications.strangers.insert(pid)
        return nil
    }

    private func processByCgroup(of pid: Int32) -> ManagedProcess? {
        guard let memberships = ProcFile.text("/proc/\(pid)/cgroup") else { return nil }
        return processes.values.first { process in
            guard process.isUncollected, let name = process.cgroup?.name else { return false }
            return memberships.contains("/\(name)\n") || memberships.contains("/\(name)/")
        }
    }

    private func logStranger(_ pid: Int32) {
        if notifications.hasReportedStranger { return }
        notifications.hasReportedStranger = true
        log.notice(
            """
            a notification of pid \(pid), which is not one of the processes or has exited already, \
            was ignored; further ones are ignored without a message
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
            loseWatchdog(process, "it sent WATCHDOG=trigger")
        case nil: break
        }
        if message.isReady { becomeReady(process) }
        guard message.hasNote else { return }
        // Each of these takes the group's lock, which the data path needs too.
        guard process.noteBucket.admits(now: now) else { return logFlood(process) }
        if let time = message.extraTime {
            note(process, .extendTimeout(Interval(nanoseconds: time)))
        }
        if let status = message.status { note(process, .status(status)) }
        if let isBusy = message.isBusy { note(process, .busy(isBusy)) }
        if message.isStopping { note(process, .stopping) }
    }

    private func logFlood(_ process: ManagedProcess) {
        if process.hasFloodedNotes { return }
        process.hasFloodedNotes = true
        log.about(process).warning(
            "process \(process.label) tells its state too often; some of it is ignored from now on")
    }

    private func note(_ process: ManagedProcess, _ note: ProcessNote) {
        groups[process.key.group].noted(process.key.handle, note, now: now())
    }

    private func loseWatchdog(_ process: ManagedProcess, _ why: String) {
        log.about(process).warning("process \(process.label) is recycled: \(why)")
        groups[process.key.group].recycle(process.key.handle, reason: .watchdog, now: now())
    }
}
