internal import CLinux

/// What the records of a balancer that has ended say of its processes.
package struct RecordedProcesses: Equatable, Sendable {
    /// The leaders of the processes that live on; each leads a process group of its own.
    package private(set) var living: [Int32] = []
    /// Whether none can be alive: not those of another container either, which cannot be seen here.
    package private(set) var areGone = true

    /// - Parameter path: the state directory, of which nothing is changed.
    package init(inStateDirectory path: String) {
        guard let boot = ProcessIdentity.currentBoot(),
            let directory = try? StateDirectory(checking: path)
        else {
            areGone = ProcFile.entries("\(path)/processes").allSatisfy { $0 == "." || $0 == ".." }
            return
        }
        for label in ProcFile.entries(directory.path) where label != "." && label != ".." {
            guard let record = try? directory.read(label) else {
                areGone = false
                continue
            }
            // No process outlives a boot.
            if record.boot.bootID != boot.bootID { continue }
            guard record.boot == boot else {
                areGone = false
                continue
            }
            let isUnknown = record.stage == .intended
            let leader =
                isUnknown ? ProcessIdentity.leader(labelled: label) : record.process
            // A zombie has ended, though nobody has collected it.
            guard let leader, let pidfd = ProcessIdentity.open(leader) else { continue }
            mooring_close(pidfd)
            living.append(leader.pid)
            areGone = false
        }
        living.sort()
    }
}
