internal import Logging

extension SupervisionLoop {
    /// The cgroup for a new process; nil: it gets none.
    func makeCgroup(_ launch: LaunchSpec, label: String) -> Cgroup? {
        guard launch.isolation.ownCgroup else { return nil }
        return reaping.cgroups.tree?.make(group: launch.groupName, label: label)
    }

    /// Removes the cgroups of a killed balancer; groups of living processes stay.
    func removeLeftoverCgroups() {
        guard let tree = reaping.cgroups.tree else { return }
        log.debug("each process gets a cgroup below \(tree.path)")
        let count = tree.removeLeftovers()
        if count > 0 { log.info("removed \(count) empty cgroups of processes that are gone") }
    }
}
