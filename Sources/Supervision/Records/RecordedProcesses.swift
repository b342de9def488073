internal import CLinux

/// The recorded processes of a balancer that has exited.
package struct RecordedProcesses: Equatable, Sendable {
    /// The leaders of the surviving processes; each leads its own process group.
    package private(set) var living: [Int32] = []
    /// Whether none can be alive, including those of another container, which are invisible here.
    package private(set) var areGone = true

    /// - Parameter path: the state directory, which is not changed.
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
            // No process survives a boot.
            if record.boot.bootID != boot.bootID { continue }
            guard record.boot == boot else {
                areGone = false
                continue
            }
            let isUnknown = record.stage == .intended
            let leader =
                isUnknown ? ProcessIdentity.leader(labelled: label) : record.process
            // A zombie has exited, although it was not reaped yet.
            guard let leader, let pidfd = ProcessIdentity.open(leader) else { continue }
            mooring_close(pidfd)
            living.append(leader.pid)
            areGone = false
        }
        living.sort()
    }
}
