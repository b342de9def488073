internal import Reactor

/// What passes between this balancer and those before and after it.
struct Adoption {
    /// Processes of an earlier balancer that no group has room for.
    var leftovers = Leftovers()
    /// Balancers that still finish requests on processes that were adopted from them.
    var predecessors = Predecessors()
    /// After leaving: processes that requests may still wait for here.
    var expected = ExpectedProcesses()
    /// Whether the processes are another balancer's by now.
    private(set) var hasLeft = false

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? {
        [leftovers.nextDeadline, expected.nextDeadline].compactMap(\.self).min()
    }

    /// From now on the processes are another balancer's.
    mutating func leave() { hasLeft = true }
}
