/// The user and limits of a group's processes.
///
/// In any case each gets its own session and process group, no descriptors except the standard
/// three, default signal dispositions, and a clean environment.
package struct Isolation: Sendable, Equatable {
    /// The user; nil: the one that runs Mooring.
    package var account: Account?
    /// The umask(2), 0 to 0o777.
    package var umask: UInt32 = 0o022
    /// Resource limits (setrlimit(2)); others are inherited from Mooring.
    package var limits: [ResourceLimit] = []
    /// Whether set-user-id programs, such as sudo(8), have no effect (PR_SET_NO_NEW_PRIVS).
    package var noNewPrivileges = true
    /// Whether each process gets its own cgroup, if Mooring's own cgroup is writable.
    ///
    /// Then no descendant survives it, whatever it does. Without a cgroup, only descendants that
    /// stayed in its process group or kept its label in their environment are killed with it.
    package var ownCgroup = true

    package init() {}

    /// Whether credentials change at all: a user may name itself.
    func switches(from user: UInt32, _ group: UInt32) -> Bool {
        guard let account else { return false }
        // Root's supplementary groups must not stay with an account of the same ids.
        return user == 0 || account.user != user || account.group != group
    }
}

/// A resource limit of one process; sets soft and hard limit.
package struct ResourceLimit: Sendable, Equatable {
    /// The resources, named as in setrlimit(2) without `RLIMIT_`.
    package enum Resource: String, Sendable, CaseIterable {
        case addressSpace = "as"
        case core
        case cpu
        case data
        case fsize
        case memlock
        case msgqueue
        case nice
        case nofile
        case nproc
        case rss
        case rtprio
        case rttime
        case sigpending
        case stack
    }

    package var resource: Resource
    /// In the resource's own unit (bytes, seconds, a count); nil: no limit.
    package var value: UInt64?

    package init(_ resource: Resource, _ value: UInt64?) {
        self.resource = resource
        self.value = value
    }
}
