/// What is needed to end processes with all that belongs to them.
struct Reaping {
    /// Descendants that have left their processes.
    var strays = Strays()
    /// Of processes that are gone, as long as they have members.
    var cgroups = Cgroups()
    /// Ends processes that are not to outlive this program.
    var guardian = Guardian()

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? {
        [strays.waitsUntil, strays.sweep.repeatAt, cgroups.repeatAt].compactMap(\.self).min()
    }
}
