/// The notify socket while it is open, and what reading it has come to.
///
/// Whoever can pass through the runtime directory may send to it. What one portion leaves waits
/// for a multiple of the time that the portion took: a process that sends all the time gets a fifth
/// of this thread, and strangers next to nothing of it.
struct Notifications {
    private static let shortestPause: Int64 = 2_000_000
    private static let pauseFactor: Int64 = 4
    private static let foreignPause: Int64 = 20_000_000
    private static let foreignFactor: Int64 = 50
    private static let dropPause: Int64 = 2_000_000
    private static let foreignDropPause: Int64 = 5_000_000

    var socket: NotifySocket?
    var drops = DescriptorDrops()
    /// When to go on after a portion that was not the last; nil: an event tells.
    var resumeAt: Int64?
    /// The pids that were found to be nobody's in this portion.
    var strangers: Set<Int32> = []
    /// Strangers are told of once, not as often as they like.
    var hasReportedStranger = false
    var buffer = [UInt8](repeating: 0, count: NotifyMessage.sizeLimit)

    /// Reads no more for a while.
    ///
    /// - Parameter isForeign: whether most of what was read came from strangers.
    mutating func rest(isForeign: Bool, spent: Int64, now: Int64) {
        let pause =
            isForeign
            ? max(Self.foreignPause, spent * Self.foreignFactor)
            : max(Self.shortestPause, spent * Self.pauseFactor)
        resumeAt = now + pause
    }

    /// Reads no more until a datagram with descriptors has been taken off.
    mutating func drop(isForeign: Bool, now: Int64) {
        guard let socket else { return }
        drops.start(on: socket, now: now)
        resumeAt = now + (isForeign ? Self.foreignDropPause : Self.dropPause)
    }
}
