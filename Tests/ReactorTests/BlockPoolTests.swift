internal import Foundation
internal import Reactor
internal import Testing

@Suite struct BlockPoolTests {
    private static let size = 36 * 1024

    private func filled(_ pool: inout BlockPool, _ count: Int, consumed: Int = 0) -> Block {
        var block = Block.none
        pool.equip(&block)
        for index in 0..<count { unsafe block.writable[index] = UInt8(truncatingIfNeeded: index) }
        block.commit(count)
        block.consume(consumed)
        return block
    }

    @Test(arguments: [(0, 4096), (1, 4096), (4096, 4096), (4097, 16384), (16384, 16384)])
    func `a block is moved into the least memory that holds it`(count: Int, capacity: Int) {
        var pool = BlockPool(blockSize: Self.size, keep: 4)
        var block = filled(&pool, count, consumed: count / 2)
        pool.shrink(&block)
        #expect(block.capacity == capacity)
        #expect(pool.bytesInUse == capacity)
        #expect(block.start == count / 2)
        #expect(unsafe Array(block.whole) == (0..<count).map { UInt8(truncatingIfNeeded: $0) })
        pool.release(&block)
        #expect(pool.bytesInUse == 0 && pool.inUse == 0)
    }

    @Test func `a full block stays as it is`() {
        var pool = BlockPool(blockSize: Self.size, keep: 4)
        var block = filled(&pool, 16385)
        pool.shrink(&block)
        #expect(block.capacity == Self.size)
        pool.release(&block)
    }

    @Test func `a small block becomes whole when room is wanted`() {
        var pool = BlockPool(blockSize: Self.size, keep: 4)
        var block = filled(&pool, 4000, consumed: 100)
        pool.shrink(&block)
        pool.enlarge(&block, ifRoomBelow: 96)
        #expect(block.capacity == 4096)
        pool.enlarge(&block, ifRoomBelow: 97)
        #expect(block.capacity == Self.size && block.count == 3900 && block.start == 100)
        #expect(pool.bytesInUse == Self.size)
        pool.release(&block)
    }

    @Test func `a block without memory has none after all that`() {
        var pool = BlockPool(blockSize: Self.size, keep: 4)
        var block = Block.none
        pool.shrink(&block)
        pool.enlarge(&block, ifRoomBelow: 100)
        pool.release(&block)
        #expect(!block.holdsMemory && pool.inUse == 0)
    }

    @Test func `whole blocks smaller than the small ones are never moved`() {
        var pool = BlockPool(blockSize: 16, keep: 1)
        var block = filled(&pool, 3)
        pool.shrink(&block)
        #expect(block.capacity == 16)
        var other = Block.none
        pool.equip(&other, with: .small)
        #expect(other.capacity == 16)
        pool.release(&block)
        pool.release(&other)
    }

    @Test func `portions are less than a whole block, and come back to where they were`() {
        var pool = BlockPool(blockSize: Self.size, keep: 0)
        for (portion, size) in [(BlockPool.Portion.medium, 16384), (.small, 4096)] {
            var block = Block.none
            pool.equip(&block, with: portion)
            #expect(block.capacity == size && pool.bytesInUse == size)
            let address = unsafe block.memory
            pool.release(&block)
            pool.equip(&block, with: portion)
            #expect(unsafe block.memory == address)
            pool.release(&block)
        }
        #expect(pool.bytesInUse == 0 && pool.bytesToSpare == 16384 + 4096)
    }

    @Test func `blocks of a size of before are not handed out again`() {
        for other in [Self.size + 4096, 16 * 1024, 4096] {
            var pool = BlockPool(blockSize: Self.size, keep: 4)
            var old = filled(&pool, 10)
            pool.changeSize(to: other)
            pool.changeSize(to: Self.size)
            pool.release(&old)
            var fresh = Block.none
            pool.equip(&fresh)
            #expect(fresh.capacity == Self.size)
            pool.release(&fresh)
            #expect(pool.bytesInUse == 0)
        }
    }

    private static func resident() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return try #require(Int(text.split(separator: " ")[1])) * 4096
    }

    @Test func `memory that was idle between two trims goes back to the system, addresses stay`()
        throws
    {
        var pool = BlockPool(blockSize: Self.size, keep: 4)
        let before = try Self.resident()
        var blocks = (0..<2000).map { _ in filled(&pool, Self.size) }
        #expect(try Self.resident() - before > 60 << 20)
        for index in blocks.indices { pool.release(&blocks[index]) }
        #expect(pool.bytesToSpare == 1996 * Self.size)
        pool.trim()
        #expect(pool.bytesToSpare > 0, "it may be wanted again at once")
        pool.trim()
        #expect(pool.bytesToSpare == 0)
        #expect(try Self.resident() - before < 40 << 20)
        blocks = (0..<2000).map { _ in filled(&pool, Self.size) }
        #expect(blocks.allSatisfy { $0.count == Self.size })
        for index in blocks.indices { pool.release(&blocks[index]) }
    }

    @Test func `what is in use now and then is kept`() {
        var pool = BlockPool(blockSize: Self.size, keep: 0)
        for _ in 0..<5 {
            var blocks = (0..<10).map { _ in filled(&pool, 1) }
            for index in blocks.indices { pool.release(&blocks[index]) }
            pool.trim()
            #expect(pool.bytesToSpare == 10 * Self.size)
        }
    }
}
