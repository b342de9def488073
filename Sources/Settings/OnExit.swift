/// What becomes of the processes of a group when the balancer ends unexpectedly (`on_exit`).
///
/// A planned end stops them, and a planned change of balancers keeps them, whatever this says.
package enum OnExit: String, Sendable, CaseIterable {
    /// They live on, for the next balancer to adopt.
    case adopt
    /// A guardian ends them, with their process groups and cgroups, within a second.
    case kill
}
