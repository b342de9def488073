/// The 1xx heads of one stream that wait for the client.
struct HTTP2Interim {
    private var queued = 0
    /// Bytes of those that are queued.
    private(set) var bytes = 0

    mutating func add(_ count: Int) {
        queued += 1
        bytes += count
    }

    /// One has been put into a frame; each counts for as much as the others.
    ///
    /// - Returns: bytes that do not wait any more.
    mutating func takeOne() -> Int {
        guard queued > 0 else { return 0 }
        let share = bytes / queued
        queued -= 1
        bytes -= share
        return share
    }
}
