/// The 1xx heads of one stream that wait for the client.
struct HTTP2Interim {
    private var queued = 0
    /// The bytes of the queued ones.
    private(set) var bytes = 0

    mutating func add(_ count: Int) {
        queued += 1
        bytes += count
    }

    /// One was put into a frame; each counts for an equal share.
    ///
    /// - Returns: the bytes that no longer wait.
    mutating func takeOne() -> Int {
        guard queued > 0 else { return 0 }
        let share = bytes / queued
        queued -= 1
        bytes -= share
        return share
    }
}
