internal import FoundationEssentials
internal import Glibc
internal import Supervision

/// Removes what earlier runs have left behind; otherwise every command line would keep its folders.
extension ProjectFolders {
    /// How long unused folders are kept, in seconds: a week, for the project of last Friday.
    private static let patience = 7 * 24 * 3600

    /// Removes old folders of projects without a balancer and without processes.
    static func removeOld(runtimeRoot: String, stateRoot: String) {
        let runtimes = "\(runtimeRoot)/\(folderName)"
        let states = "\(stateRoot)/\(folderName)"
        for name in Set(entries(runtimes) + entries(states)) {
            removeIfOld(runtime: "\(runtimes)/\(name)", state: "\(states)/\(name)")
        }
    }

    private static func removeIfOld(runtime: String, state: String) {
        // The folders of records and sockets change with every process.
        let places = [runtime, state, "\(state)/processes"]
        let limit = time(nil) - patience
        guard places.allSatisfy({ changed($0).map { $0 < limit } ?? true }),
            RecordedProcesses(inStateDirectory: state).areGone
        else { return }
        // A balancer that starts now finds the folder taken, and uses another.
        let descriptor = unsafe open(runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        defer { if descriptor >= 0 { close(descriptor) } }
        if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return }
        for folder in [runtime, state] { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// When an entry was last changed; nil: it does not exist.
    private static func changed(_ path: String) -> Int? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? Int(status.st_mtim.tv_sec) : nil
    }
}
