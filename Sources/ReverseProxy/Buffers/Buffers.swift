internal import HTTPWire
internal import Reactor
internal import Settings
internal import Synchronization

/// One loop's buffers: memory for bytes on their way, and how much of it may wait for somebody slow.
///
/// Belongs to the loop's thread. There is one budget for all loops (`limits.buffer_memory`). Everybody may
/// use what there is up to half of it. From then on each connection whose client is behind has the same
/// little, and above the budget nothing more is read for it. Clients that take what they are sent go on
/// as before: what they need is here for a moment only.
final class Buffers {
    /// What a response may wait with where half of the budget is used.
    ///
    /// With a read on its way and the request's head a connection holds less than 64 KiB.
    private static let sparingAllowance = 16 * 1024
    /// What it may at least, where many streams of HTTP/2 share a connection's.
    private static let leastAllowance = 2 * 1024
    /// The least window that RFC 9113 section 6.9.2 knows for a connection.
    private static let sparingWindow: Int32 = 65_535
    /// A read into less room is not worth the call.
    private static let leastRoom = 2 * 1024

    private var blocks: BlockPool
    private var chains: BlockChains
    private var watch = MemoryWatch()
    private var limits: Limits
    private var memory: Int
    /// What HTTP/2 holds beside the blocks.
    let streamMemory = HTTP2Memory()
    private let shares: [WorkerShare]
    private let index: Int

    /// - Parameters:
    ///   - shares: where each loop publishes how much it uses.
    ///   - index: of this loop.
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

    /// Takes over changed settings; blocks that are in use stay as they are.
    func reconfigure(_ settings: ProxySettings) {
        limits = settings.limits
        memory = settings.bufferMemory
        let blockSize = settings.blockSize
        if blockSize != blocks.blockSize { blocks.changeSize(to: blockSize) }
    }

    /// Blocks that are in use, those in chains among them.
    var blocksInUse: Int { blocks.inUse }
    /// Links of all chains.
    var linksInUse: Int { chains.count }

    /// How many blocks are in a chain.
    func length(of chain: BlockChain) -> Int { chains.length(of: chain) }

    // MARK: Blocks

    /// Gives a block memory, if it has none yet.
    func equip(_ block: inout Block) { blocks.equip(&block) }

    /// Takes a block's memory back, if it has any.
    func release(_ block: inout Block) { blocks.release(&block) }

    /// Moves a block into the least memory that holds its bytes, each at its offset.
    func shrink(_ block: inout Block) { blocks.shrink(&block) }

    /// A block that was made small may be too small for what comes.
    func makeRoomForReading(_ block: inout Block) {
        blocks.enlarge(&block, ifRoomBelow: Self.leastRoom)
    }

    /// Memory for what a process says: less of it where memory is short, as its client may be slow.
    ///
    /// - Parameter isForStream: The client's connection carries other responses too.
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

    /// What waits for a client that is behind takes no more than it needs where memory is short.
    func holdSparingly(_ block: inout Block) {
        guard pressure != .none else { return }
        block.compact()
        blocks.shrink(&block)
    }

    // MARK: Chains

    /// Moves a block to the end of a chain and leaves none behind; false: there is no link for it.
    func append(_ block: inout Block, to chain: inout BlockChain) -> Bool {
        chains.append(&block, to: &chain)
    }

    /// Adds an empty block to a chain; false: there is no link for it.
    func extend(_ chain: inout BlockChain) -> Bool {
        var fresh = Block.none
        blocks.equip(&fresh)
        if chains.append(&fresh, to: &chain) { return true }
        blocks.release(&fresh)
        return false
    }

    /// Takes the first block out of a chain that has one.
    func removeFirst(of chain: inout BlockChain) -> Block { chains.removeFirst(of: &chain) }

    /// Puts what is left of the block that was taken last in front again.
    func putBack(_ block: inout Block, to chain: inout BlockChain) {
        chains.putBack(&block, to: &chain)
    }

    /// Writes into the last block of a chain; nil: it has none.
    func withLast<Result>(
        of chain: inout BlockChain, _ body: (inout Block) -> Result
    ) -> Result? {
        chains.withLast(of: &chain, body)
    }

    /// Moves the last block of a chain, if it has one, into the least memory that holds its bytes.
    func shrinkLast(of chain: inout BlockChain) {
        _ = chains.withLast(of: &chain) { blocks.shrink(&$0) }
    }

    /// Copies bytes from a position in a chain on, as many as there is room for, and moves the position.
    func copy(from chain: BlockChain, at cursor: inout ChainCursor, into block: inout Block) {
        chains.copy(from: chain, at: &cursor, into: &block)
    }

    /// Gives all blocks of a chain back; harmless for an empty one.
    func release(_ chain: inout BlockChain) { chains.release(&chain, to: &blocks) }

    // MARK: Allowances

    var pressure: MemoryWatch.Pressure {
        let used = blocks.bytesInUse &+ streamMemory.bytes &+ watch.others
        if used < memory / 2 { return .none }
        return used < memory ? .half : .full
    }

    /// Bytes of a response that may wait for a client that is behind.
    ///
    /// - Parameter streams: of its connection, which share what that may hold; 1 where it has none.
    func responseAllowance(streams: @autoclosure () -> Int) -> Int {
        switch pressure {
        case .none: limits.responseBuffer
        case .half: min(limits.responseBuffer, Self.share(of: streams()))
        case .full: 0
        }
    }

    /// The same for the part that HTTP/2 itself keeps of a stream's response.
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

    /// A client's uploads wait at the client where memory is short.
    func narrowWindows(_ http2: inout HTTP2Settings) {
        guard pressure != .none else { return }
        http2.streamWindow = min(http2.streamWindow, Self.sparingWindow)
        http2.connectionWindow = min(http2.connectionWindow, Self.sparingWindow)
    }

    // MARK: Memory of the system

    /// When `settle` is due at the latest; monotonic ns.
    var trimAt: Int64 { watch.trimAt }

    /// A connection of TLS, or one of HTTP/2, has come.
    func connectionTookHeap() { watch.heapConnections += 1 }

    /// A connection of TLS, or one of HTTP/2, has gone.
    func connectionGaveHeap(now: Int64) {
        watch.heapConnections -= 1
        watch.scheduleTrim(now: now)
    }

    /// Lets the loops know of each other's use, and gives back to the system what is idle.
    ///
    /// - Returns: Bytes of the budget, when it was found to be used up; nil otherwise.
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
