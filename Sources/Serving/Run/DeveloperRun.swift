internal import Backends
internal import Logging
internal import Reactor
internal import Synchronization

/// What is different where a developer runs one application instead of an operator many.
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

    /// Looks after the code that the processes have; those of an earlier run are adopted by now.
    ///
    /// - Throws: `SystemError`: the sources cannot be watched.
    func attend(_ groups: ServingGroups, _ reloader: Reloader, log: Logger) throws {
        if reloads {
            // First, so that no change between the two goes unseen.
            try SourceWatch.start(folder, log: log) { file in
                log.notice("\(file) has changed")
                for group in groups.all { _ = reloader.restart(group) }
            }
        }
        for group in groups.all { replaceOutdated(group, reloader, log: log) }
    }

    /// An earlier run's processes have the code from before what was changed since.
    private func replaceOutdated(_ group: Group, _ reloader: Reloader, log: Logger) {
        let adopted = group.snapshot(now: .now).processes.filter { $0.startedAt < begun }
        guard !adopted.isEmpty, let change = SourceFiles.lastChange(below: folder) else { return }
        let since = MonotonicInstant.now + Interval(nanoseconds: change.at - Clock.wall())
        let outdated = adopted.filter { process in
            switch process.state {
            // The others have been replaced, or never come to serve.
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

    /// A program with a port of its own in its source is the most usual mistake.
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

    /// Why the program is to end after an event; nil: it goes on.
    ///
    /// What has never run will not do so by itself, and whoever mends it is watching. What has run once
    /// is started again as everywhere; and with `reloads` the next change may mend it.
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
