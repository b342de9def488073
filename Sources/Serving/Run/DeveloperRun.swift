internal import Backends
internal import Logging
internal import Synchronization

/// What is different where a developer runs one application instead of an operator many.
package final class DeveloperRun: Sendable {
    /// The project's folder, absolute.
    let folder: String
    /// Whether a changed source file starts a new generation.
    let reloads: Bool
    private let hasServed = Atomic(false)

    package init(folder: String, reloads: Bool) {
        self.folder = folder
        self.reloads = reloads
    }

    /// A changed source file starts a new generation, if that is wanted.
    func watch(_ groups: ServingGroups, _ reloader: Reloader, log: Logger) throws {
        guard reloads else { return }
        try SourceWatch.start(folder, log: log) { file in
            log.notice("\(file) has changed")
            for group in groups.all { _ = reloader.restart(group) }
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
