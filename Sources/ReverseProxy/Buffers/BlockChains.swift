internal import Reactor

/// A FIFO of blocks that wait for a slow peer.
///
/// Plain data for a slab. The chain owns its blocks; release it with `BlockChains.release`.
struct BlockChain {
    fileprivate(set) var head: Int32 = -1
    fileprivate(set) var tail: Int32 = -1
    /// Unconsumed bytes in all its blocks.
    fileprivate(set) var bytes = 0

    var isEmpty: Bool { head < 0 }
}

/// A block and the index of the next link; -1: the last.
struct BlockLink {
    var block: Block
    var next: Int32
}

/// The links of all chains of one loop.
///
/// Memory is reserved for the maximum number of links and touched as they come into use.
struct BlockChains: ~Copyable {
    private var links: Slab<BlockLink>

    /// - Parameter capacity: the most links of all chains together.
    init(capacity: Int) { links = Slab(capacity: capacity) }

    /// Links in use.
    var count: Int { links.count }

    /// The number of blocks in a chain; for checks, not for the request path.
    func length(of chain: BlockChain) -> Int {
        var length = 0
        var link = chain.head
        while link >= 0 {
            length += 1
            link = links[Int(link)].next
        }
        return length
    }

    /// Moves a block to the end of a chain, leaving `block` empty; false: no link is free.
    mutating func append(_ block: inout Block, to chain: inout BlockChain) -> Bool {
        guard let entry = links.insert(BlockLink(block: block, next: -1)) else { return false }
        chain.bytes += block.count
        let link = Int32(truncatingIfNeeded: entry)
        if chain.isEmpty { chain.head = link } else { links[Int(chain.tail)].next = link }
        chain.tail = link
        block = .none
        return true
    }

    /// Takes the first block out of a chain that has one.
    mutating func removeFirst(of chain: inout BlockChain) -> Block {
        precondition(!chain.isEmpty, "an empty chain has no first block")
        let entry = Int(chain.head)
        let block = links[entry].block
        chain.head = links[entry].next
        if chain.isEmpty { chain.tail = -1 }
        chain.bytes -= block.count
        links.remove(entry)
        return block
    }

    /// Puts the rest of the block taken last back in front.
    ///
    /// Never fails: the block's link has just become free.
    mutating func putBack(_ block: inout Block, to chain: inout BlockChain) {
        guard let entry = links.insert(BlockLink(block: block, next: chain.head)) else {
            preconditionFailure("a link that was given up is free")
        }
        chain.bytes += block.count
        chain.head = Int32(truncatingIfNeeded: entry)
        if chain.tail < 0 { chain.tail = chain.head }
        block = .none
    }

    /// Releases all blocks of a chain; harmless for an empty one.
    mutating func release(_ chain: inout BlockChain, to pool: inout BlockPool) {
        while !chain.isEmpty {
            var block = removeFirst(of: &chain)
            pool.release(&block)
        }
    }

    /// Writes into the last block of a chain; nil: the chain is empty.
    ///
    /// `body` may only append to the block.
    mutating func withLast<Result>(
        of chain: inout BlockChain, _ body: (inout Block) -> Result
    ) -> Result? {
        guard chain.tail >= 0 else { return nil }
        let before = links[Int(chain.tail)].block.count
        let result = body(&links[Int(chain.tail)].block)
        chain.bytes += links[Int(chain.tail)].block.count - before
        return result
    }

    /// Copies bytes from a cursor on, as many as fit, and advances the cursor.
    ///
    /// - Parameter most: the most bytes to copy.
    func copy(
        from chain: BlockChain, at cursor: inout ChainCursor, into block: inout Block,
        atMost most: Int = .max
    ) {
        var left = most
        if cursor.isAtStart {
            cursor.link = chain.head
            cursor.isAtStart = false
        }
        while cursor.link >= 0, block.room > 0, left > 0 {
            let bytes = unsafe links[Int(cursor.link)].block.readable
            let count = min(bytes.count - cursor.offset, block.room, left)
            left -= count
            if count > 0, let source = bytes.baseAddress {
                let room = unsafe UnsafeMutableRawBufferPointer(block.writable)
                unsafe room.copyMemory(
                    from: UnsafeRawBufferPointer(start: source + cursor.offset, count: count))
                block.commit(count)
            }
            cursor.offset += count
            guard cursor.offset == bytes.count else { return }
            cursor.link = links[Int(cursor.link)].next
            cursor.offset = 0
        }
    }
}

/// A read position in a chain that does not consume it.
struct ChainCursor {
    fileprivate(set) var isAtStart = true
    fileprivate(set) var link: Int32 = -1
    fileprivate(set) var offset = 0

    /// Whether the whole chain was copied.
    func isAtEnd(of chain: BlockChain) -> Bool { isAtStart ? chain.isEmpty : link < 0 }
}
