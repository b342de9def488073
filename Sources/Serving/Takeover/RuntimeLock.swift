internal import Glibc
internal import Reactor
internal import Synchronization

/// Keeps a second balancer out of the same runtime folder.
///
/// It locks the folder itself (flock(2)), so nothing is left behind however the program ends;
/// children do not hold the lock, since the descriptor is closed on exec.
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

    /// Whether the folder belongs to a successor by now.
    var isLetGo: Bool { isReleased.load(ordering: .relaxed) }

    /// Releases the lock for a successor; repeated calls are harmless.
    func release() {
        if isReleased.exchange(true, ordering: .relaxed) { return }
        // A child before its exec has the descriptor too, and would keep the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
