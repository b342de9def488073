/// Evenness: in a rush the fastest process would get most of the sessions, and keep them.
///
/// When all slots are taken, the process that frees one first gets the next waiter. So a new
/// session waits a moment for a process with fewer sessions, if that one is about to free a slot.
extension GroupState {
    /// The first of the group's queue, and how long it waits for a less loaded process.
    struct Withheld: Sendable {
        var waiter: WaiterTicket
        var until: MonotonicInstant
    }

    /// How long one session is withheld, and how recently a process must have freed a slot to be
    /// waited for: a process that hangs delays no session.
    private static let patience = Interval.milliseconds(50)
    /// A process may exceed its share by a fifth, plus this many sessions.
    private static let slack = 2

    /// Whether the first waiter should not take this process's free slot; starts the waiter's
    /// clock.
    mutating func isWithheld(_ waiter: UInt32, from entry: UInt32) -> Bool {
        guard waiters[waiter].intent.session != nil else { return false }
        guard isFilledEvenly(entry), isAhead(entry) else { return false }
        let ticket = waiters.ticket(waiter)
        if let withheld, withheld.waiter == ticket { return now < withheld.until }
        withheld = Withheld(waiter: ticket, until: now + Self.patience)
        return true
    }

    /// Whether sessions are spread evenly over this process and others.
    private func isFilledEvenly(_ entry: UInt32) -> Bool {
        policy.fillsAllEvenly || policy.placement == .auto && processes[Int(entry)].isPermanent
    }

    /// Whether a process exceeds its share while one with fewer sessions has just freed a slot.
    private func isAhead(_ entry: UInt32) -> Bool {
        var (sessions, weights, isOtherSoon) = (0, 0, false)
        for index in processes.indices {
            guard processes[index].phase.isReady, processes[index].standing == .serving,
                isFilledEvenly(UInt32(index)),
                processes[index].markedForRecycling?.isIllness != true
            else { continue }
            sessions += processes[index].sessions
            weights += processes[index].shareOfSessions
            if processes[index].inFlight >= processes[index].slots,
                now < processes[index].idleSince + Self.patience, !isFull(processes[index]),
                hasFewerSessions(index, than: Int(entry))
            {
                isOtherSoon = true
            }
        }
        let surplus = processes[Int(entry)].sessions - Self.slack
        return isOtherSoon
            && 5 * surplus * weights > 6 * sessions * processes[Int(entry)].shareOfSessions
    }
}
