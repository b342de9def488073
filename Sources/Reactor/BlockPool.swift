/// Blocks kept for re-use; the last one back is the first one out, still in the cache.
///
/// Blocks have one size as a rule. Where memory is short they come smaller, and one that waits for
/// somebody slow is moved into memory that just holds what is in it.
@safe
package struct BlockPool: ~Copyable {
    /// What a smaller block holds: a head, or what a slow client is offered at once.
    private static let mediumSize = 16 * 1024
    private static let smallSize = 4 * 1024

    /// The size of each whole block that is handed out from now on.
    package var blockSize: Int { whole.size }
    /// How many idle blocks are kept before memory goes back to the system.
    private let keep: Int
    private var whole: BlockShelf
    private var medium = BlockShelf(size: Self.mediumSize)
    private var small = BlockShelf(size: Self.smallSize)
    /// Whole blocks of sizes of before.
    private var former: [BlockShelf.Region] = []
    /// Blocks handed out and not yet back.
    package private(set) var inUse = 0
    /// Bytes of memory handed out and not yet back.
    package private(set) var bytesInUse = 0

    package init(blockSize: Int, keep: Int) {
        self.keep = keep
        whole = BlockShelf(size: blockSize)
    }

    /// Gives the block memory, if it has none yet.
    package mutating func equip(_ block: inout Block) {
        if block.holdsMemory { return }
        block = unsafe Block(whole.take(), capacity: whole.size)
        inUse += 1
        bytesInUse += whole.size
    }

    /// How much less than a whole block.
    package enum Portion: Sendable {
        case medium, small
    }

    /// Gives the block less memory than a whole one has, if it has none yet.
    package mutating func equip(_ block: inout Block, with portion: Portion) {
        let size = portion == .medium ? medium.size : small.size
        if size >= whole.size { return equip(&block) }
        if block.holdsMemory { return }
        let memory = unsafe portion == .medium ? medium.take() : small.take()
        block = unsafe Block(memory, capacity: size)
        inUse += 1
        bytesInUse += size
    }

    /// Moves a block into the least memory that holds its bytes, each at its offset.
    package mutating func shrink(_ block: inout Block) {
        guard block.capacity <= whole.size else { return }
        if block.end <= small.size, small.size < block.capacity {
            let memory = unsafe small.take()
            unsafe move(&block, to: memory, capacity: small.size)
        } else if block.end <= medium.size, medium.size < block.capacity {
            let memory = unsafe medium.take()
            unsafe move(&block, to: memory, capacity: medium.size)
        }
    }

    /// Makes a block whole again whose room has become less than what is wanted.
    package mutating func enlarge(_ block: inout Block, ifRoomBelow wanted: Int) {
        guard block.holdsMemory, block.room < wanted, block.capacity < whole.size else { return }
        let memory = unsafe whole.take()
        unsafe move(&block, to: memory, capacity: whole.size)
    }

    private mutating func move(
        _ block: inout Block, to memory: UnsafeMutablePointer<UInt8>, capacity: Int
    ) {
        let before = block.capacity
        bytesInUse += capacity - before
        if let old = unsafe block.move(to: memory, capacity: capacity) {
            unsafe giveBack(old, capacity: before)
        }
    }

    /// Hands out blocks of another size; those of the old one go back to the system as they come.
    package mutating func changeSize(to size: Int) {
        former += whole.retire()
        whole = BlockShelf(size: size)
    }

    /// Takes the memory back; a block without memory is left as it is.
    package mutating func release(_ block: inout Block) {
        guard let memory = unsafe block.memory else { return }
        inUse -= 1
        bytesInUse -= block.capacity
        unsafe giveBack(memory, capacity: block.capacity)
        block = .none
    }

    private mutating func giveBack(_ memory: UnsafeMutablePointer<UInt8>, capacity: Int) {
        if capacity == whole.size,
            former.isEmpty || !former.contains(where: { unsafe $0.contains(memory) })
        {
            unsafe whole.give(memory)
        } else if capacity == medium.size, medium.size < whole.size {
            unsafe medium.give(memory)
        } else if capacity == small.size, small.size < whole.size {
            unsafe small.give(memory)
        } else {
            unsafe BlockShelf.unload(memory, size: capacity)
        }
    }

    /// Bytes of blocks that are idle, beyond those that are kept, and still hold memory.
    package var bytesToSpare: Int {
        whole.idleBytes(beyond: keep) + medium.idleBytes(beyond: keep)
            + small.idleBytes(beyond: keep)
    }

    /// Gives the system the memory of blocks that were idle ever since the last call.
    package mutating func trim() {
        whole.trim(keep: keep)
        medium.trim(keep: keep)
        small.trim(keep: keep)
    }
}
