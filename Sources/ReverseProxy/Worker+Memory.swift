internal import Backends
internal import HTTPWire
internal import Reactor

/// What connections and exchanges hold of the loop's buffers where memory is short.
extension Worker {
    /// Memory for what a process says.
    func equipForReading(_ upstream: Int) {
        let exchange = Int(upstreams[upstream].exchange)
        let isForStream = downstreams[Int(exchanges[exchange].downstream)].carrier.isStream
        buffers.equipForProcess(&upstreams[upstream].input, isForStream: isForStream)
    }

    /// The client is behind: where memory is short, what waits for it takes no more than it needs.
    func holdSparingly(_ place: Int, upstream: Int? = nil) {
        downstreams.holdSparingly(place)
        if let upstream { buffers.holdSparingly(&upstreams[upstream].input) }
    }

    /// A request waits for its turn, as hundreds of one page may: it holds its head and what has come of
    /// its body, and no whole block for either.
    func shrinkWaiting(_ exchange: Int) {
        buffers.shrink(&downstreams[Int(exchanges[exchange].downstream)].input)
        buffers.shrinkLast(of: &exchanges[exchange].stored)
    }

    /// Lets the loops know of each other's use, and gives back to the system what is idle.
    func settleMemory() {
        guard let budget = buffers.settle(now: now) else { return }
        shared.mishaps.note(
            .bufferMemory, now: now,
            "the buffers hold \(budget >> 20) MiB, all of limits.buffer_memory; clients that are slow"
                + " to read keep their processes waiting")
    }
}
