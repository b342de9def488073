internal import HTTPWire
internal import Reactor

extension Block {
    /// Appends after the last byte; false: not enough room, and nothing was appended.
    @inline(__always)
    @discardableResult
    mutating func write(_ body: (inout ByteSink) -> Void) -> Bool {
        var sink = unsafe ByteSink(writable)
        body(&sink)
        if sink.overflowed { return false }
        commit(sink.count)
        return true
    }
}
