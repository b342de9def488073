/// The totals of a run, or of many.
package struct Summary: Equatable, Sendable, CustomStringConvertible {
    package var seeds = 0
    package var steps = 0
    package var starts = 0
    package var failedStarts = 0
    package var evictions = 0
    package var crashes = 0
    package var grants = 0
    package var waits = 0
    package var refusals = 0
    package var lost = 0
    package var moved = 0
    package var rollouts = 0
    package var recycled = 0
    package var tunnels = 0
    package var adopted = 0

    package init() {}

    package static func += (left: inout Summary, right: Summary) {
        left.seeds += right.seeds
        left.steps += right.steps
        left.starts += right.starts
        left.failedStarts += right.failedStarts
        left.evictions += right.evictions
        left.crashes += right.crashes
        left.grants += right.grants
        left.waits += right.waits
        left.refusals += right.refusals
        left.lost += right.lost
        left.moved += right.moved
        left.rollouts += right.rollouts
        left.recycled += right.recycled
        left.tunnels += right.tunnels
        left.adopted += right.adopted
    }

    package var description: String {
        """
        \(seeds) seeds, \(steps) steps: \(starts) starts (\(failedStarts) failed), \
        \(evictions) evictions, \(crashes) crashes, \(grants) grants, \(waits) waits, \
        \(refusals) refusals, \(lost) sessions lost, \(moved) moved, \(rollouts) rollouts, \
        \(recycled) recycled, \(tunnels) tunnels, \(adopted) adopted
        """
    }
}
