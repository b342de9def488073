internal import HTTPWire
internal import Reactor
internal import Settings
internal import Synchronization

/// One loop's buffers: memory for bytes in transit, and how much may wait for slow peers.
///
/// Belongs to the loop's thread. All loops share one budget (`limits.buffer_memory`). Up to half of
/// it there is no restriction. Beyond that, every connection with a slow client gets the same small
/// allowance, and above the budget nothing more is read for it. Clients that keep up are not
/// affected: they need buffers only for a moment.
final class Buffers {
    /// The allowance of a waiting response once half of the budget is used.
    ///
    /// With a read in progress and the request's head, a connection uses less than 64 KiB.
    private static let sparingAllowance = 16 * 1024
    /// The minimum allowance, if many HTTP/2 streams share a connection's.
    private static let leastAllowance = 2 * 1024
    /// The smallest connection window of RFC 9113 section 6.9.2.
    private static let sparingWindow: Int32 = 65_535
    /// Reading into less room is not worth the system call.
    private static let leastRoom = 2 * 1024

    private var blocks: BlockPool
    private var chains: BlockChains
    private var watch = MemoryWatch()
    private var limits: Limits
    private var memory: Int
    /// The memory of HTTP/2 besides the blocks.
    let streamMemory = HTTP2Memory()
    private let shares: [WorkerShare]
    private let index: Int

    /// - Parameters:
    ///   - shares: where each loop publishes its usage.
    ///   - index: this loop's.
    init(_ settings: ProxySettings, shares: [WorkerShare], index: Int) {
        // A head, and room for the fields that are added to it.
        let blockSize = settings.blockSize
        blocks = BlockPool(blockSize: blockSize, keep: 64)
        chains = BlockChains(capacity: settings.limits.links(blockSize: blockSize))
        limits = settings.limits
        memory = settings.bufferMemory
        self.shares = shares
        self.index = index
    }

    /// Applies changed settings; blocks in use stay as they are.
    func reconfigure(_ settings: ProxySettings) {
        limits = settings.limits
        memory = settings.bufferMemory
        let blockSize = settings.blockSize
        if blockSize != blocks.blockSize { blocks.changeSize(to: blockSize) }
    }

    /// Blocks in use, including those in chains.
    var blocksInUse: Int { blocks.inUse }
    /// Links of all chains.
    var linksInUse: Int { chains.count }

    /// How many blocks are in a chain.
    func length(of chain: BlockChain) -> Int { chains.length(of: chain) }

    // MARK: Blocks

    /// Allocates memory for a block that has none yet.
    func equip(_ block: inout Block) { blocks.equip(&block) }

    /// Returns a block's memory, if it has any.
    func release(_ block: inout Block) { blocks.release(&block) }

    /// Moves a block into the least memory that holds its bytes, keeping their offsets.
    func shrink(_ block: inout Block) { blocks.shrink(&block) }

    /// Enlarges a block that was made smaller and may be too small now.
    func makeRoomForReading(_ block: inout Block) {
        blocks.enlarge(&block, ifRoomBelow: Self.leastRoom)
    }

    /// Allocates memory for a process's response: less if memory is short, since the client may be
    /// slow.
    ///
    /// - Parameter isForStream: whether the client's connection carries other responses too.
    func equipForProcess(_ block: inout Block, isForStream: Bool) {
        let pressure = pressure
        if pressure == .none {
            if block.isEmpty, block.capacity < blocks.blockSize { blocks.release(&block) }
            blocks.equip(&block)
        } else {
            blocks.equip(&block, with: pressure == .full || isForStream ? .small : .medium)
        }
        block.compact()
        blocks.enlarge(&block, ifRoomBelow: Self.leastRoom)
    }

    /// If memory is short, shrinks a block that waits for a slow client to its contents.
    func holdSparingly(_ block: inout Block) {
        guard pressure != .none else { return }
        block.compact()
        blocks.shrink(&block)
    }

    // MARK: Chains

    /// Moves a block to the end of a chain, leaving `block` empty; false: no link is free.
    func append(_ block: inout Block, to chain: inout BlockChain) -> Bool {
        chains.append(&block, to: &chain)
    }

    /// Appends an empty block to a chain; false: no link is free.
    func extend(_ chain: inout BlockChain) -> Bool {
        var fresh = Block.none
        blocks.equip(&fresh)
        if chains.append(&fresh, to: &chain) { return true }
        blocks.release(&fresh)
        return false
    }

    /// Takes the first block out of a chain that has one.
    func removeFirst(of chain: inout BlockChain) -> Block { chains.removeFirst(of: &chain) }

    /// Puts the rest of the block taken last back in front.
    func putBack(_ block: inout Block, to chain: inout BlockChain) {
        chains.putBack(&block, to: &chain)
    }

    /// Writes into the last block of a chain; nil: the chain is empty.
    func withLast<Result>(
        of chain: inout BlockChain, _ body: (inout Block) -> Result
    ) -> Result? {
        chains.withLast(of: &chain, body)
    }

    /// Shrinks the last block of a chain, if it has one, to its contents.
    func shrinkLast(of chain: inout BlockChain) {
        _ = chains.withLast(of: &chain) { blocks.shrink(&$0) }
    }

    /// Copies bytes from a cursor on, as many as fit, and advances the cursor.
    func copy(
        from chain: BlockChain, at cursor: inout ChainCursor, into block: inout Block,
        atMost most: Int = .max
    ) {
        chains.copy(from: chain, at: &cursor, into: &block, atMost: most)
    }

    /// Releases all blocks of a chain; harmless for an empty one.
    func release(_ chain: inout BlockChain) { chains.release(&chain, to: &blocks) }

    // MARK: Allowances

    var pressure: MemoryWatch.Pressure {
        let used = blocks.bytesInUse &+ streamMemory.bytes &+ watch.others
        if used < memory / 2 { return .none }
        return used < memory ? .half : .full
    }

    /// Bytes of a response that may wait for a slow client.
    ///
    /// - Parameter streams: the number of streams that share the connection's allowance; 1 without
    ///   HTTP/2.
    func responseAllowance(streams: @autoclosure () -> Int) -> Int {
        switch pressure {
        case .none: limits.responseBuffer
        case .half: min(limits.responseBuffer, Self.share(of: streams()))
        case .full: 0
        }
    }

    /// The same for the part of a stream's response that HTTP/2 buffers itself.
    func streamOutputLimit(_ http2: HTTP2Settings, streams: Int) -> Int {
        switch pressure {
        case .none: http2.outputLimit
        case .half: Self.share(of: streams)
        case .full: Self.leastAllowance
        }
    }

    private static func share(of streams: Int) -> Int {
        streams <= 1 ? sparingAllowance : max(leastAllowance, sparingAllowance / streams)
    }

    /// Bytes of a request body that may wait for a slot.
    var requestAllowance: Int {
        switch pressure {
        case .none: limits.requestBuffer
        case .half: min(limits.requestBuffer, Self.sparingAllowance)
        case .full: min(limits.requestBuffer, 1)
        }
    }

    /// Narrows upload windows when memory is short, so that uploads wait at the client.
    func narrowWindows(_ http2: inout HTTP2Settings) {
        guard pressure != .none else { return }
        http2.streamWindow = min(http2.streamWindow, Self.sparingWindow)
        http2.connectionWindow = min(http2.connectionWindow, Self.sparingWindow)
    }

    // MARK: Memory of the system

    /// The latest time for `settle`; monotonic ns.
    var trimAt: Int64 { watch.trimAt }

    /// A connection with TLS or HTTP/2 has opened.
    func connectionTookHeap() { watch.heapConnections += 1 }

    /// A connection with TLS or HTTP/2 has closed.
    func connectionGaveHeap(now: Int64) {
        watch.heapConnections -= 1
        watch.scheduleTrim(now: now)
    }

    /// Publishes this loop's usage to the others, and returns idle memory to the system.
    ///
    /// - Returns: the bytes of the budget when it was found exhausted; nil otherwise.
    func settle(now: Int64) -> Int? {
        let isFull = watch.isPublishDue(now: now) && publish()
        if now >= watch.trimAt {
            watch.trimAt = .max
            blocks.trim()
            if watch.isHeapTrimDue(streamBytes: streamMemory.bytes) { Heap.trim() }
        }
        if blocks.bytesToSpare > 0 { watch.scheduleTrim(now: now) }
        return isFull ? memory : nil
    }

    private func publish() -> Bool {
        let own = blocks.bytesInUse &+ streamMemory.bytes
        shares[index].bufferedBytes.store(own, ordering: .relaxed)
        var others = 0
        for entry in shares.indices where entry != index {
            others &+= shares[entry].bufferedBytes.load(ordering: .relaxed)
        }
        watch.others = others
        return pressure == .full
    }
}
