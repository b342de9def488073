/// Bytes on their way: a piece of memory from a pool, with what is in it from `start` to `end`.
///
/// A plain value that lives in a slab; the memory belongs to whoever holds the value last, who gives
/// it back to the pool. An empty block holds no memory, so an idle connection costs none.
@safe
package struct Block {
    package private(set) var memory: UnsafeMutablePointer<UInt8>?
    package private(set) var capacity: Int
    /// The first byte that has not been consumed.
    package private(set) var start: Int
    /// Behind the last byte.
    package private(set) var end: Int

    /// No memory, no bytes.
    package static var none: Block { unsafe Block(memory: nil, capacity: 0, start: 0, end: 0) }

    package var count: Int { end &- start }
    package var isEmpty: Bool { end == start }
    package var holdsMemory: Bool { unsafe memory != nil }
    /// Room behind the last byte.
    package var room: Int { capacity &- end }

    /// The bytes from `start` on; valid until the block changes or is given back.
    package var readable: UnsafeBufferPointer<UInt8> {
        guard let memory = unsafe memory else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeBufferPointer(start: memory + start, count: count)
    }

    /// All bytes from the beginning of the memory to `end`, consumed ones too.
    package var whole: UnsafeBufferPointer<UInt8> {
        guard let memory = unsafe memory else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeBufferPointer(start: memory, count: end)
    }

    /// The free room behind the last byte; `commit` what was written there.
    package var writable: UnsafeMutableBufferPointer<UInt8> {
        guard let memory = unsafe memory else {
            return unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeMutableBufferPointer(start: memory + end, count: room)
    }

    /// Counts bytes written into `writable`.
    package mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= room)
        end &+= count
    }

    /// Counts bytes as done with.
    package mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        start &+= count
    }

    /// Drops everything and begins at the front again; the memory stays.
    package mutating func rewind() {
        start = 0
        end = 0
    }

    /// Adds bytes behind the last one; false: there is no room for them, and nothing was added.
    package mutating func append(_ bytes: Span<UInt8>) -> Bool {
        let target = unsafe writable
        guard target.count >= bytes.count else { return false }
        for index in 0..<bytes.count { unsafe target[index] = bytes[index] }
        commit(bytes.count)
        return true
    }

    /// Takes back what was consumed from `position` on; the bytes must still be where they were.
    package mutating func unconsume(to position: Int) {
        precondition(position >= 0 && position <= start)
        start = position
    }

    /// Moves what is left to `position` (the beginning, or behind a head that is still wanted).
    package mutating func compact(to position: Int = 0) {
        precondition(position >= 0 && position <= start)
        guard position < start, let memory = unsafe memory else { return }
        let left = count
        if left > 0 { unsafe (memory + position).update(from: memory + start, count: left) }
        start = position
        end = position &+ left
    }
}

/// Blocks of one size, kept for re-use; the last one back is the first one out, still in the cache.
@safe
package struct BlockPool: ~Copyable {
    /// The size of each block that is handed out from now on.
    package private(set) var blockSize: Int
    /// How many idle blocks are kept before memory goes back to the system.
    private let keep: Int
    private var idle: [UnsafeMutablePointer<UInt8>]
    /// Blocks handed out and not yet back.
    package private(set) var inUse = 0

    package init(blockSize: Int, keep: Int) {
        self.blockSize = blockSize
        self.keep = keep
        unsafe idle = []
        unsafe idle.reserveCapacity(keep)
    }

    deinit {
        for index in unsafe idle.indices { unsafe idle[index].deallocate() }
    }

    /// Gives the block memory, if it has none yet.
    package mutating func equip(_ block: inout Block) {
        if block.holdsMemory { return }
        let memory = unsafe idle.popLast() ?? .allocate(capacity: blockSize)
        inUse += 1
        block = unsafe Block(memory: memory, capacity: blockSize, start: 0, end: 0)
    }

    /// Hands out blocks of another size; those of the old one are freed as they come back.
    package mutating func changeSize(to size: Int) {
        blockSize = size
        for index in unsafe idle.indices { unsafe idle[index].deallocate() }
        unsafe idle.removeAll(keepingCapacity: true)
    }

    /// Takes the memory back; a block without memory is left as it is.
    package mutating func release(_ block: inout Block) {
        guard let memory = unsafe block.memory else { return }
        inUse -= 1
        if unsafe idle.count < keep && block.capacity == blockSize {
            unsafe idle.append(memory)
        } else {
            unsafe memory.deallocate()
        }
        block = .none
    }
}
