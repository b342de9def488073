internal import Reactor

/// Blocks in a row, first in, first out: what waits for somebody slow.
///
/// Plain data for a slab. The blocks belong to the chain; who drops it gives them back with `BlockChains.release`.
struct BlockChain {
    fileprivate(set) var head: Int32 = -1
    fileprivate(set) var tail: Int32 = -1
    /// Bytes in all its blocks, those not yet consumed.
    fileprivate(set) var bytes = 0

    var isEmpty: Bool { head < 0 }
}

/// A block and the link behind it; -1: the last.
struct BlockLink {
    var block: Block
    var next: Int32
}

/// The links of all chains of one loop.
///
/// Memory is reserved for the most links there may be and touched as they come into use.
struct BlockChains: ~Copyable {
    private var links: Slab<BlockLink>

    /// - Parameter capacity: Links of all chains together; more are refused.
    init(capacity: Int) { links = Slab(capacity: capacity) }

    /// Links in use.
    var count: Int { links.count }

    /// Blocks of one chain; for checks, not for the request path.
    func length(of chain: BlockChain) -> Int {
        var length = 0
        var link = chain.head
        while link >= 0 {
            length += 1
            link = links[Int(link)].next
        }
        return length
    }

    /// Moves a block to the end of a chain and leaves none behind; false: there is no link for it.
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

    /// Puts what is left of the block that was taken last in front again.
    ///
    /// Never refused: the link of the block has just become free.
    mutating func putBack(_ block: inout Block, to chain: inout BlockChain) {
        guard let entry = links.insert(BlockLink(block: block, next: chain.head)) else {
            preconditionFailure("a link that was given up is free")
        }
        chain.bytes += block.count
        chain.head = Int32(truncatingIfNeeded: entry)
        if chain.tail < 0 { chain.tail = chain.head }
        block = .none
    }

    /// Gives all blocks of a chain back; harmless for an empty one.
    mutating func release(_ chain: inout BlockChain, to pool: inout BlockPool) {
        while !chain.isEmpty {
            var block = removeFirst(of: &chain)
            pool.release(&block)
        }
    }

    /// Writes into the last block of a chain; nil: it has none.
    ///
    /// `body` appends to the block and consumes nothing of it.
    mutating func withLast<Result>(
        of chain: inout BlockChain, _ body: (inout Block) -> Result
    ) -> Result? {
        guard chain.tail >= 0 else { return nil }
        let before = links[Int(chain.tail)].block.count
        let result = body(&links[Int(chain.tail)].block)
        chain.bytes += links[Int(chain.tail)].block.count - before
        return result
    }

    /// Copies bytes from a position in a chain on, as many as there is room for, and moves the position.
    func copy(from chain: BlockChain, at cursor: inout ChainCursor, into block: inout Block) {
        if cursor.isAtStart {
            cursor.link = chain.head
            cursor.isAtStart = false
        }
        while cursor.link >= 0, block.room > 0 {
            let bytes = unsafe links[Int(cursor.link)].block.readable
            let count = min(bytes.count - cursor.offset, block.room)
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

/// How far a chain has been gone over without consuming it.
struct ChainCursor {
    fileprivate(set) var isAtStart = true
    fileprivate(set) var link: Int32 = -1
    fileprivate(set) var offset = 0

    /// Everything of the chain has been copied.
    func isAtEnd(of chain: BlockChain) -> Bool { isAtStart ? chain.isEmpty : link < 0 }
}
