internal import HTTPWire
internal import Reactor

extension Block {
    /// Writes behind the last byte; false: there is too little room, and nothing has been added.
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
