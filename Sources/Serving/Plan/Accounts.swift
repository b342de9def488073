internal import ConfigFile
internal import Supervision

extension Configuration.Isolation {
    /// The same with users and groups looked up in the system's accounts.
    ///
    /// - Throws: the `Problem` with them.
    func resolved(group name: String) throws(Problem) -> Isolation {
        var isolation = Isolation()
        isolation.umask = umask
        isolation.limits = limits.sorted { $0.key < $1.key }.compactMap { name, limit in
            ResourceLimit.Resource(rawValue: name).map { resource in
                switch limit {
                case .unlimited: ResourceLimit(resource, nil)
                case .atMost(let most): ResourceLimit(resource, most)
                }
            }
        }
        guard let user else { return isolation }
        do {
            isolation.account = try Account.find(
                user: user, group: group, supplementary: supplementaryGroups)
        } catch {
            var key = "user"
            if case .unknownGroups(let unknown) = error {
                key = unknown == group.map { [$0] } ? "group" : "groups"
            }
            throw userLocation.problem("group.\(name).\(key)", "\(error)")
        }
        if isolation.account?.user == 0, !allowRoot {
            throw userLocation.problem(
                "group.\(name).user",
                "is root; take another, or add allow_root = true if that is meant")
        }
        return isolation
    }
}
