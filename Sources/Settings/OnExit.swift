/// What happens to the processes of a group when the balancer ends unexpectedly (`on_exit`).
///
/// A planned shutdown stops them and a planned take-over keeps them, regardless of this setting.
package enum OnExit: String, Sendable, CaseIterable {
    /// They keep running, and the next balancer adopts them.
    case adopt
    /// A guardian process kills them, with their process groups and cgroups, within a second.
    case kill
}
