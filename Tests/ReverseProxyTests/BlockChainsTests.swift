internal import Reactor
internal import Testing

@testable internal import ReverseProxy

@Suite struct BlockChainsTests {
    /// A block with the text in it, from the pool.
    private func block(_ text: String, from pool: inout BlockPool) -> Block {
        var block = Block.none
        pool.equip(&block)
        for byte in text.utf8 {
            unsafe block.writable[0] = byte
            block.commit(1)
        }
        return block
    }

    private func text(_ block: Block) -> String {
        unsafe String(decoding: block.readable, as: UTF8.self)
    }

    @Test func `blocks come out in the order in which they went in`() {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var chains = BlockChains(capacity: 8)
        var one = BlockChain()
        var other = BlockChain()
        for name in ["a", "b", "c"] {
            var mine = block(name, from: &pool)
            let isTaken = chains.append(&mine, to: &one)
            #expect(isTaken)
            #expect(!mine.holdsMemory)
            var its = block(name + name, from: &pool)
            _ = chains.append(&its, to: &other)
        }
        #expect(one.bytes == 3)
        #expect(other.bytes == 6)
        for name in ["a", "b", "c"] {
            var first = chains.removeFirst(of: &one)
            #expect(text(first) == name)
            pool.release(&first)
        }
        #expect(one.isEmpty)
        #expect(one.bytes == 0)
        chains.release(&other, to: &pool)
        let left = (chains.count, pool.inUse)
        #expect(left == (0, 0))
    }

    @Test func `what is left of a block goes back in front`() {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var chains = BlockChains(capacity: 2)
        var chain = BlockChain()
        for name in ["first", "second"] {
            var mine = block(name, from: &pool)
            _ = chains.append(&mine, to: &chain)
        }
        var part = chains.removeFirst(of: &chain)
        part.consume(3)
        chains.putBack(&part, to: &chain)
        #expect(chain.bytes == 8)
        var again = chains.removeFirst(of: &chain)
        #expect(text(again) == "st")
        pool.release(&again)
        chains.release(&chain, to: &pool)
        let inUse = pool.inUse
        #expect(inUse == 0)
    }

    @Test func `a link too many is refused and the block stays where it was`() {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var chains = BlockChains(capacity: 1)
        var chain = BlockChain()
        var first = block("a", from: &pool)
        _ = chains.append(&first, to: &chain)
        var second = block("b", from: &pool)
        let isTaken = chains.append(&second, to: &chain)
        #expect(!isTaken)
        #expect(text(second) == "b")
        pool.release(&second)
        chains.release(&chain, to: &pool)
    }

    @Test(arguments: [1, 3, 16])
    func `a copy goes over the whole chain in pieces and leaves it as it is`(room: Int) {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var target = BlockPool(blockSize: room, keep: 1)
        var chains = BlockChains(capacity: 8)
        var chain = BlockChain()
        for name in ["", "one ", "two ", "", "three"] {
            var mine = block(name, from: &pool)
            _ = chains.append(&mine, to: &chain)
        }
        for _ in 0..<2 {
            var cursor = ChainCursor()
            var copied = ""
            while !cursor.isAtEnd(of: chain) {
                var piece = Block.none
                target.equip(&piece)
                chains.copy(from: chain, at: &cursor, into: &piece)
                copied += text(piece)
                target.release(&piece)
            }
            #expect(copied == "one two three")
        }
        #expect(chain.bytes == 13)
        chains.release(&chain, to: &pool)
    }

    @Test func `an empty chain is copied at once`() {
        let isAtEnd = ChainCursor().isAtEnd(of: BlockChain())
        #expect(isAtEnd)
    }

    @Test func `what is written into the last block counts`() {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var chains = BlockChains(capacity: 2)
        var chain = BlockChain()
        let nothing = chains.withLast(of: &chain) { _ in 1 }
        #expect(nothing == nil)
        var first = block("a", from: &pool)
        _ = chains.append(&first, to: &chain)
        chains.withLast(of: &chain) { $0.commit(5) }
        #expect(chain.bytes == 6)
        chains.release(&chain, to: &pool)
    }
}
