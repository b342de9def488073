internal import Reactor

/// State about earlier and later balancers.
struct Adoption {
    /// Groups that are not in the configuration any more, behind those that are.
    let retired: [RetiredGroup]
    /// Processes of an earlier balancer that no group has room for.
    var leftovers = Leftovers()
    /// Balancers that still finish requests on processes adopted from them.
    var predecessors = Predecessors()
    /// After `leave`: processes that requests may still wait for here.
    var expected = ExpectedProcesses()
    /// Whether the processes belong to another balancer by now.
    private(set) var hasLeft = false

    init(retired: [RetiredGroup]) { self.retired = retired }

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? {
        [leftovers.nextDeadline, expected.nextDeadline].compactMap(\.self).min()
    }

    /// From now on the processes belong to another balancer.
    mutating func leave() { hasLeft = true }
}
