internal import Backends
internal import Logging
internal import Reactor
internal import Synchronization

/// Behaviour for a developer who runs one application, rather than an operator.
package final class DeveloperRun: Sendable {
    /// The project's folder, absolute.
    let folder: String
    /// Whether a changed source file starts a new generation.
    let reloads: Bool
    private let begun = MonotonicInstant.now
    private let hasServed = Atomic(false)

    package init(folder: String, reloads: Bool) {
        self.folder = folder
        self.reloads = reloads
    }

    /// Watches the sources of the running code; processes of an earlier run are adopted by now.
    ///
    /// - Throws: `SystemError`: the sources cannot be watched.
    func attend(_ groups: ServingGroups, _ reloader: Reloader, log: Logger) throws {
        if reloads {
            // First, so that no change in between is missed.
            try SourceWatch.start(folder, log: log) { file in
                log.notice("\(file) has changed")
                for group in groups.all { _ = reloader.restart(group) }
            }
        }
        for group in groups.all { replaceOutdated(group, reloader, log: log) }
    }

    /// Processes of an earlier run may have code from before later changes.
    private func replaceOutdated(_ group: Group, _ reloader: Reloader, log: Logger) {
        let adopted = group.snapshot(now: .now).processes.filter { $0.startedAt < begun }
        guard !adopted.isEmpty, let change = SourceFiles.lastChange(below: folder) else { return }
        let since = MonotonicInstant.now + Interval(nanoseconds: change.at - Clock.wall())
        let outdated = adopted.filter { process in
            switch process.state {
            // Others have been replaced, or never served.
            case .starting, .ready: process.startedAt < since
            case .draining, .stopping, .down: false
            }
        }
        guard !outdated.isEmpty else { return }
        if reloads {
            log.notice("\(change.file) has changed since the earlier run")
            _ = reloader.restart(group)
        } else {
            let names = outdated.map { "\($0.label.prefix(4))" }.joined(separator: ", ")
            log.warning(
                """
                \(names) of an earlier run has the code from before \(change.file) was changed; \
                mooring restart \(group.name) starts the new code for new visitors, Ctrl-C and a new \
                run for all
                """)
        }
    }

    /// A port hard-coded in the application is the most common mistake.
    private static func hint(_ report: ExitReport) -> String {
        let isTaken = report.output.contains { line in
            let line = line.lowercased()
            return line.contains("address already in use") || line.contains("eaddrinuse")
        }
        guard isTaken else { return "" }
        return
            "; it listens on a port that is taken, perhaps by Mooring itself: let it listen on the"
            + " port in the variable PORT, or write {port} where it takes one"
    }

    /// Why the program must exit after an event; nil: it continues.
    ///
    /// A program that has never run will not start on its own, and the developer who fixes it is
    /// watching. One that has run once is restarted as usual; and with `reloads` the next change
    /// may fix it.
    func reasonToEnd(after event: RegistryEvent) -> String? {
        switch event {
        case .ready, .adopted:
            hasServed.store(true, ordering: .relaxed)
            return nil
        case .startFailed(_, let report, _, _):
            if reloads || hasServed.load(ordering: .relaxed) { return nil }
            return "the application does not start: \(report.reason)\(Self.hint(report))"
        default:
            return nil
        }
    }
}
