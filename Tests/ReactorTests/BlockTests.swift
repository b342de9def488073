internal import Reactor
internal import Testing

@Suite struct BlockTests {
    @Test func `what is left moves to the front or behind a head that is still wanted`() {
        var pool = BlockPool(blockSize: 16, keep: 1)
        var block = Block.none
        pool.equip(&block)
        for index in 0..<10 { unsafe block.writable[index] = UInt8(index) }
        block.commit(10)
        block.consume(7)
        block.compact(to: 4)
        #expect(block.start == 4)
        #expect(unsafe Array(block.readable) == [7, 8, 9])
        #expect(unsafe Array(block.whole.prefix(4)) == [0, 1, 2, 3])
        block.compact()
        #expect(unsafe Array(block.readable) == [7, 8, 9])
        #expect(block.room == 13)
        pool.release(&block)
    }

    @Test func `bytes are added whole or not at all`() {
        var pool = BlockPool(blockSize: 4, keep: 1)
        var block = Block.none
        var answers: [Bool] = []
        for bytes in [[1], [1, 2, 3], [4, 5], [4]] as [[UInt8]] {
            answers.append(block.append(bytes.span))
            // The first finds no memory.
            pool.equip(&block)
        }
        #expect(answers == [false, true, false, true])
        #expect(unsafe Array(block.readable) == [1, 2, 3, 4])
        pool.release(&block)
    }

    @Test func `the block given back last is handed out first`() {
        var pool = BlockPool(blockSize: 16, keep: 4)
        var one = Block.none
        var other = Block.none
        pool.equip(&one)
        pool.equip(&other)
        let address = unsafe other.memory
        pool.release(&one)
        pool.release(&other)
        var again = Block.none
        pool.equip(&again)
        #expect(unsafe again.memory == address)
        pool.release(&again)
        #expect(pool.inUse == 0)
    }
}
