internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Settings
internal import Supervision

/// The main thread: it waits for events and executes the orders of `Shutdown`.
extension Balancer {
    /// An event for the main thread.
    enum Event: Sendable {
        case signal(Int32)
        case successor(SuccessorListener.Successor)
        case adminEnded(String)
        /// A developer's application does not start, with the reason.
        case applicationFailed(String)
        /// The last client connection is closed, or the drain timeout has passed.
        case drained
        /// The last process is gone.
        case processesGone
        /// The access log is written.
        case closed
    }

    /// How long the exit waits for the access log to be written, in microseconds.
    private static let lastLines: useconds_t = 1_500_000

    /// How often the log reports what the shutdown waits for, in seconds.
    private static let reportInterval = 5

    /// Logs what the shutdown waits for, so that operators need not guess why it takes long.
    private func report(_ wait: Shutdown.Wait) {
        let log = log
        switch wait {
        case .nothing:
            break
        case .clients:
            proxy.countWaiting { counts in
                let text = counts.text
                if text.isEmpty { return }
                log.notice("still waiting for \(text); a second signal stops at once")
            }
        case .processes:
            let waits = groups.all.map { ($0.name, $0.snapshot(now: .now).processes.count) }
                .filter { $0.1 > 0 }.map { "\($0.1) of group \($0.0)" }.joined(separator: ", ")
            if waits.isEmpty { return }
            log.notice("still waiting for processes to end: \(waits); a second signal kills them")
        }
    }

    /// The main thread's loop.
    func waitForEnd() -> Int32 {
        var shutdown = Shutdown()
        while true {
            let event =
                shutdown.wait == .nothing
                ? events.next() : events.next(within: Self.reportInterval)
            switch event {
            case nil:
                report(shutdown.wait)
            case .signal(let signal):
                guard let event = Shutdown.Event(signal: signal) else { continue }
                carryOut(shutdown.handle(event))
            case .successor(let successor):
                guard shutdown.handle(.leave) == .leave else { continue }
                log.notice("handing over to a new balancer; requests in flight are finished here")
                leave(to: successor)
            case .adminEnded(let reason):
                // After a take-over it no longer listens.
                if shutdown.stage == .leaving { continue }
                log.critical("the admin API has ended", metadata: ["reason": "\(reason)"])
            case .applicationFailed(let reason):
                let order = shutdown.handle(.nothingToServe)
                if order == .none { continue }
                log.critical("\(reason)")
                carryOut(order)
            case .drained:
                carryOut(shutdown.handle(.drained))
            case .processesGone:
                carryOut(shutdown.handle(.processesGone))
            case .closed:
                log.notice("Mooring has stopped")
                return shutdown.exitCode
            }
        }
    }

    private func carryOut(_ order: Shutdown.Order) {
        switch order {
        case .none:
            break
        case .drain:
            drain()
        case .leave:
            log.notice("ending without the processes: the next balancer takes them over")
            leave(to: nil)
        case .stopProcesses:
            stopProcesses()
        case .killProcesses:
            log.notice("stopping at once")
            stopProcesses()
            supervisor.killAll()
        case .close:
            close()
        case .reopenLogs:
            proxy.reopenLogs()
            supervisor.reopenOutput()
            log.info("access log reopened")
        case .reload:
            reload()
        }
    }

    private func reload() {
        manager.notify("RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        do {
            _ = try reloader.reload()
        } catch {
            switch error {
            case .badConfiguration(let problems), .invalid(let problems):
                for problem in problems.split(separator: "\n") {
                    log.error("nothing was changed: \(problem)")
                }
            case .noSuchGroup, .noSuchProcess, .severalProcesses:
                log.error("nothing was changed")
            }
        }
        manager.notify("READY=1")
    }

    private func drain() {
        log.notice(
            "shutting down: requests in flight are finished",
            metadata: ["at_most": .span(reloader.drainTimeout)])
        manager.notify("STOPPING=1")
        successors.removePath()
        source.beginDraining()
        let events = events
        let deadline = MonotonicInstant.now + reloader.drainTimeout
        proxy.drain(until: deadline, .end) { events.post(.drained) }
    }

    /// Leaves the processes to the next balancer; requests in flight are finished here.
    private func leave(to successor: SuccessorListener.Successor?) {
        source.beginDraining()
        let admin = admin
        // First, since it takes a moment, during which clients are still served.
        _ = try? waitFor { await admin.stopListening() }
        let events = events
        let connections = successor?.connections
        var purpose = DrainPurpose.leave
        if let connections { purpose = .handOver { connections.send($0) } }
        proxy.drain(until: .now + reloader.drainTimeout, purpose) {
            guard let connections else { return events.post(.drained) }
            // The last ones may still be in transit.
            connections.finish { events.post(.drained) }
        }
        supervisor.leave()
        // The manager accepts this only from the main process (NotifyAccess=main), which is this
        // one.
        if let process = successor?.process { manager.notify("MAINPID=\(process)", "READY=1") }
        admin.removeSocket()
        successors.removePath()
        lock.release()
        do {
            try successor?.answer()
        } catch {
            log.error("kept connections cannot be handed over: \(error)")
            events.post(.drained)
        }
    }

    private func close() {
        // A successor has replaced them with its own by now.
        if !lock.isLetGo {
            admin.removeSocket()
            successors.removePath()
            let folder = plan.configuration.runtimeDirectory
            Supervisor.removeHostFiles(inRuntimeDirectory: folder)
        }
        let events = events
        // Whichever comes first: the reader of the access log may have stopped reading.
        proxy.stop { events.post(.closed) }
        do {
            try LoopThread.start(name: "end") {
                usleep(Self.lastLines)
                events.post(.closed)
            }
        } catch {
            events.post(.closed)
        }
    }

    /// Orders every process to stop and waits for that on another thread.
    private func stopProcesses() {
        for group in groups.all { group.shutDown(now: .now) }
        let supervisor = supervisor
        let events = events
        do {
            try LoopThread.start(name: "shutdown") {
                supervisor.stop()
                events.post(.processesGone)
            }
        } catch {
            log.error("no thread to wait for the processes: \(error)")
            supervisor.stop()
            events.post(.processesGone)
        }
    }
}
