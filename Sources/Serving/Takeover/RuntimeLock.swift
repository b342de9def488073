internal import FoundationEssentials
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

    /// The balancer that holds the lock of a folder; nil: none does, or it cannot be seen.
    ///
    /// See proc_locks(5): `1: FLOCK  ADVISORY  WRITE 4711 fe:00:523 0 EOF`.
    static func holder(of folder: String) -> Int32? {
        var status = stat()
        guard unsafe stat(folder, &status) == 0,
            let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return nil }
        let inode = ":\(status.st_ino)"
        for line in locks.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[1] == "FLOCK", fields[5].hasSuffix(inode) else {
                continue
            }
            return Int32(fields[4])
        }
        return nil
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
