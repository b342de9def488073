internal import Glibc
internal import Reactor
internal import Synchronization

/// Keeps a second balancer out of the same runtime folder.
///
/// The folder itself is locked (flock(2)), so nothing is left behind when the program ends in any
/// way; its children do not hold the lock, since no descriptor of it survives their exec.
final class RuntimeLock: Sendable {
    private let descriptor: Int32
    private let isReleased = Atomic(false)

    /// - Throws: `ServingError` when another balancer holds it.
    init(folder: String) throws {
        descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw ServingError.failed("cannot open \(folder): \(SystemError.message(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ServingError.failed(
                "another Mooring runs with the runtime folder \(folder); stop it first, or give"
                    + " this one another by runtime_dir or $RUNTIME_DIRECTORY")
        }
    }

    deinit { release() }

    /// Whether the folder is a successor's by now.
    var isLetGo: Bool { isReleased.load(ordering: .relaxed) }

    /// Lets a successor in; harmless when repeated.
    func release() {
        if isReleased.exchange(true, ordering: .relaxed) { return }
        // A child that has not got to its program has the descriptor too, and would keep the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
