/// The state needed to kill processes with all their descendants.
struct Reaping {
    /// Descendants that have left their processes.
    var strays = Strays()
    /// Cgroups of processes that are gone, as long as they have members.
    var cgroups = Cgroups()
    /// Kills processes that must not outlive this program.
    var guardian = Guardian()

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? {
        [strays.waitsUntil, strays.sweep.repeatAt, cgroups.repeatAt].compactMap(\.self).min()
    }
}
