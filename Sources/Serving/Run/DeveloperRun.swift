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
            return "the application does not start: \(report.reason)"
        default:
            return nil
        }
    }
}
