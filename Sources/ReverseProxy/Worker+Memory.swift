internal import HTTPWire
internal import Reactor
internal import Synchronization

/// One budget for the buffers of all loops (`limits.buffer_memory`).
///
/// Everybody may use what there is up to half of it. From then on each connection whose client is
/// behind has the same little, and above the budget nothing more is read for it. Clients that take
/// what they are sent go on as before: what they need is here for a moment only.
extension Worker {
    /// What a response may wait with where half of the budget is used.
    ///
    /// With a read on its way and the request's head a connection holds less than 64 KiB.
    private static let sparingAllowance = 16 * 1024
    /// What it may at least, where many streams of HTTP/2 share a connection's.
    private static let leastAllowance = 2 * 1024
    /// The least window that RFC 9113 section 6.9.2 knows for a connection.
    private static let sparingWindow: Int32 = 65_535
    /// A read into less room is not worth the call.
    static let leastRoom = 2 * 1024

    var pressure: MemoryWatch.Pressure {
        let used = blocks.bytesInUse &+ streamMemory.bytes &+ memory.others
        if used < settings.limits.bufferMemory / 2 { return .none }
        return used < settings.limits.bufferMemory ? .half : .full
    }

    /// Bytes of a response that may wait for a client that is behind.
    func responseAllowance(_ place: Int) -> Int {
        switch pressure {
        case .none: settings.limits.responseBuffer
        case .half: min(settings.limits.responseBuffer, sparingShare(place))
        case .full: 0
        }
    }

    /// The same for the part that HTTP/2 itself keeps of a stream's response.
    func streamOutputLimit(_ place: Int, _ http2: HTTP2Settings) -> Int {
        switch pressure {
        case .none: http2.outputLimit
        case .half: sparingShare(place)
        case .full: Self.leastAllowance
        }
    }

    /// Streams share what their connection may hold.
    private func sparingShare(_ place: Int) -> Int {
        guard downstreams[place].carrier == .stream,
            let multiplexer = multiplexers[Int(downstreams[place].parent)]
        else { return Self.sparingAllowance }
        return max(
            Self.leastAllowance, Self.sparingAllowance / max(1, multiplexer.places.count))
    }

    /// Bytes of a request body that may wait for a slot.
    var requestAllowance: Int {
        switch pressure {
        case .none: settings.limits.requestBuffer
        case .half: min(settings.limits.requestBuffer, Self.sparingAllowance)
        case .full: min(settings.limits.requestBuffer, 1)
        }
    }

    /// A client's uploads wait at the client where memory is short.
    func narrowWindows(_ http2: inout HTTP2Settings) {
        guard pressure != .none else { return }
        http2.streamWindow = min(http2.streamWindow, Self.sparingWindow)
        http2.connectionWindow = min(http2.connectionWindow, Self.sparingWindow)
    }

    /// Memory for what a process says: less of it where memory is short, as its client may be slow.
    func equipForReading(_ upstream: Int) {
        let pressure = pressure
        if pressure == .none {
            if upstreams[upstream].input.isEmpty,
                upstreams[upstream].input.capacity < blocks.blockSize
            {
                blocks.release(&upstreams[upstream].input)
            }
            blocks.equip(&upstreams[upstream].input)
        } else {
            let exchange = Int(upstreams[upstream].exchange)
            let isOfMany = downstreams[Int(exchanges[exchange].downstream)].carrier == .stream
            blocks.equip(
                &upstreams[upstream].input,
                with: pressure == .full || isOfMany ? .small : .medium)
        }
        upstreams[upstream].input.compact()
        blocks.enlarge(&upstreams[upstream].input, ifRoomBelow: Self.leastRoom)
    }

    /// A block that was made small may be too small for what comes.
    func makeRoomForReading(_ place: Int) {
        blocks.enlarge(&downstreams[place].input, ifRoomBelow: Self.leastRoom)
    }

    /// The client is behind: where memory is short, what waits for it takes no more than it needs.
    func holdSparingly(_ place: Int, upstream: Int32 = -1) {
        guard pressure != .none else { return }
        blocks.shrink(&downstreams[place].input)
        downstreams[place].output.compact()
        blocks.shrink(&downstreams[place].output)
        if upstream >= 0 {
            upstreams[Int(upstream)].input.compact()
            blocks.shrink(&upstreams[Int(upstream)].input)
        }
    }

    /// A request waits for its turn, as hundreds of one page may: it holds its head and what has come of
    /// its body, and no whole block for either.
    func shrinkWaiting(_ exchange: Int) {
        blocks.shrink(&downstreams[Int(exchanges[exchange].downstream)].input)
        _ = chains.withLast(of: &exchanges[exchange].stored) { blocks.shrink(&$0) }
    }

    /// A connection of TLS, or one of HTTP/2, has come or gone.
    func noteHeap(_ change: Int) {
        memory.heapConnections += change
        if change < 0 { memory.scheduleTrim(now: now) }
    }

    /// Lets the loops know of each other's use, and gives back to the system what is idle.
    func settleMemory() {
        if memory.isPublishDue(now: now) { publishMemory() }
        if now >= memory.trimAt {
            memory.trimAt = .max
            blocks.trim()
            if memory.isHeapTrimDue(streamBytes: streamMemory.bytes) { Heap.trim() }
        }
        if blocks.bytesToSpare > 0 { memory.scheduleTrim(now: now) }
    }

    private func publishMemory() {
        let own = blocks.bytesInUse &+ streamMemory.bytes
        shared.shares[index].bufferedBytes.store(own, ordering: .relaxed)
        var others = 0
        for place in shared.shares.indices where place != index {
            others &+= shared.shares[place].bufferedBytes.load(ordering: .relaxed)
        }
        memory.others = others
        if pressure == .full {
            let limit = settings.limits.bufferMemory >> 20
            shared.mishaps.note(
                .bufferMemory, now: now,
                "the buffers hold \(limit) MiB, all of limits.buffer_memory; clients that are slow"
                    + " to read keep their processes waiting")
        }
    }
}
