/// As whom and within which bounds the processes of a group run.
///
/// What always holds besides: a session and process group of its own, no descriptor but the standard
/// three, default signal dispositions, an environment begun anew.
package struct Isolation: Sendable, Equatable {
    /// The user that they run as; nil: the one that Mooring runs as.
    package var account: Account?
    /// The permission bits that files made by them never have (umask(2)), 0 to 0o777.
    package var umask: UInt32 = 0o022
    /// Resource limits (setrlimit(2)); those not listed are Mooring's own.
    package var limits: [ResourceLimit] = []
    /// Whether set-user-id programs are without effect for them (PR_SET_NO_NEW_PRIVS), sudo(8) among
    /// them.
    package var noNewPrivileges = true
    /// Whether each gets a cgroup of its own where the cgroup that Mooring is in can be written to.
    ///
    /// Then no descendant outlives it, wherever that has put itself. Elsewhere those end with it that
    /// stayed in its process group or kept its label in their environment.
    package var ownCgroup = true

    package init() {}

    /// Whether credentials are changed at all: a user may ask for itself by name.
    func switches(from user: UInt32, _ group: UInt32) -> Bool {
        guard let account else { return false }
        // Root's supplementary groups would stay with an account of the same ids.
        return user == 0 || account.user != user || account.group != group
    }
}

/// A bound on what one process may use; soft and hard limit are the same.
package struct ResourceLimit: Sendable, Equatable {
    /// What is limited, by the names of setrlimit(2) without `RLIMIT_`.
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
