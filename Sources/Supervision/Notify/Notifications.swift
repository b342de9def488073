/// The open notify socket and the state of reading it.
///
/// Any process that can traverse the runtime directory may send to it. After a portion, reading
/// rests for a multiple of the time that the portion took: a process that sends all the time gets a
/// fifth of this thread's time, and foreign processes next to nothing.
struct Notifications {
    private static let shortestPause: Int64 = 2_000_000
    private static let pauseFactor: Int64 = 4
    private static let foreignPause: Int64 = 20_000_000
    private static let foreignFactor: Int64 = 50
    private static let dropPause: Int64 = 2_000_000
    private static let foreignDropPause: Int64 = 5_000_000

    var socket: NotifySocket?
    var drops = DescriptorDrops()
    /// When to continue after a portion that left datagrams; nil: an event follows.
    var resumeAt: Int64?
    /// The pids that were found to be foreign in this portion.
    var strangers: Set<Int32> = []
    /// Foreign senders are logged once, not as often as they send.
    var hasReportedStranger = false
    var buffer = [UInt8](repeating: 0, count: NotifyMessage.sizeLimit)

    /// Pauses reading.
    ///
    /// - Parameter isForeign: whether most datagrams came from foreign processes.
    mutating func rest(isForeign: Bool, spent: Int64, now: Int64) {
        let pause =
            isForeign
            ? max(Self.foreignPause, spent * Self.foreignFactor)
            : max(Self.shortestPause, spent * Self.pauseFactor)
        resumeAt = now + pause
    }

    /// Pauses reading until a datagram with descriptors is removed.
    mutating func drop(isForeign: Bool, now: Int64) {
        guard let socket else { return }
        drops.start(on: socket, now: now)
        resumeAt = now + (isForeign ? Self.foreignDropPause : Self.dropPause)
    }
}
