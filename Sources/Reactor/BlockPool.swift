/// Blocks for reuse; the last one returned is the first one handed out, while it is still in the
/// cache.
///
/// Blocks normally have one size. When memory is short they are smaller, and a block that waits for
/// a slow peer is moved into memory just large enough for its contents.
@safe
package struct BlockPool: ~Copyable {
    /// The size of a smaller block: a head, or the first response bytes for a slow client.
    private static let mediumSize = 16 * 1024
    private static let smallSize = 4 * 1024

    /// The size of each whole block handed out from now on.
    package var blockSize: Int { whole.size }
    /// The number of idle blocks to keep before memory is returned to the system.
    private let keep: Int
    private var whole: BlockShelf
    private var medium = BlockShelf(size: Self.mediumSize)
    private var small = BlockShelf(size: Self.smallSize)
    /// Whole blocks of earlier sizes.
    private var former: [BlockShelf.Region] = []
    /// Blocks handed out and not yet returned.
    package private(set) var inUse = 0
    /// Bytes of memory handed out and not yet returned.
    package private(set) var bytesInUse = 0

    package init(blockSize: Int, keep: Int) {
        self.keep = keep
        whole = BlockShelf(size: blockSize)
    }

    /// Allocates memory for a block that has none yet.
    package mutating func equip(_ block: inout Block) {
        if block.holdsMemory { return }
        block = unsafe Block(whole.take(), capacity: whole.size)
        inUse += 1
        bytesInUse += whole.size
    }

    /// A fraction of a whole block.
    package enum Portion: Sendable {
        case medium, small
    }

    /// Allocates less memory than a whole block for a block that has none yet.
    package mutating func equip(_ block: inout Block, with portion: Portion) {
        let size = portion == .medium ? medium.size : small.size
        if size >= whole.size { return equip(&block) }
        if block.holdsMemory { return }
        let memory = unsafe portion == .medium ? medium.take() : small.take()
        block = unsafe Block(memory, capacity: size)
        inUse += 1
        bytesInUse += size
    }

    /// Moves a block into the least memory that holds its bytes, keeping their offsets.
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

    /// Makes a block whole again if its free space is less than needed.
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

    /// Hands out blocks of another size; those of the old size go back to the system when returned.
    package mutating func changeSize(to size: Int) {
        former += whole.retire()
        whole = BlockShelf(size: size)
    }

    /// Returns a block's memory; does nothing for a block without memory.
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

    /// Bytes of surplus idle blocks that still hold memory.
    package var bytesToSpare: Int {
        whole.idleBytes(beyond: keep) + medium.idleBytes(beyond: keep)
            + small.idleBytes(beyond: keep)
    }

    /// Returns the memory of blocks that were idle since the last call to the system.
    package mutating func trim() {
        whole.trim(keep: keep)
        medium.trim(keep: keep)
        small.trim(keep: keep)
    }
}
