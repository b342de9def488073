/// A buffer of bytes: memory from a pool, filled from `start` to `end`.
///
/// A plain value that lives in a slab; the owner of the value owns the memory and returns it to the
/// pool. An empty block holds no memory, so an idle connection costs none.
@safe
package struct Block {
    package private(set) var memory: UnsafeMutablePointer<UInt8>?
    package private(set) var capacity: Int
    /// The first byte that has not been consumed.
    package private(set) var start: Int
    /// After the last byte.
    package private(set) var end: Int

    /// An empty block with memory of the given capacity.
    init(_ memory: UnsafeMutablePointer<UInt8>, capacity: Int) {
        unsafe self.init(memory: memory, capacity: capacity, start: 0, end: 0)
    }

    private init(memory: UnsafeMutablePointer<UInt8>?, capacity: Int, start: Int, end: Int) {
        unsafe self.memory = unsafe memory
        self.capacity = capacity
        self.start = start
        self.end = end
    }

    /// A block without memory.
    package static var none: Block { unsafe Block(memory: nil, capacity: 0, start: 0, end: 0) }

    package var count: Int { end &- start }
    package var isEmpty: Bool { end == start }
    package var holdsMemory: Bool { unsafe memory != nil }
    /// Free space after the last byte.
    package var room: Int { capacity &- end }

    /// The bytes from `start` on; valid until the block changes or is released.
    package var readable: UnsafeBufferPointer<UInt8> {
        guard let memory = unsafe memory else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeBufferPointer(start: memory + start, count: count)
    }

    /// The bytes from `start` on; valid until the block changes or is released.
    ///
    /// Unsafe, since a block lies in a slab that its owner changes by index: the compiler (6.3)
    /// does not allow a borrow of it to outlive the access.
    @unsafe
    package var bytes: Span<UInt8> {
        @_lifetime(immortal)
        get { unsafe Self.span(over: readable) }
    }

    /// All bytes from the beginning of the memory to `end`, including consumed ones.
    package var whole: UnsafeBufferPointer<UInt8> {
        guard let memory = unsafe memory else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeBufferPointer(start: memory, count: end)
    }

    /// All bytes from the beginning of the memory to `end`, including consumed ones.
    ///
    /// As unsafe as `bytes`.
    @unsafe
    package var wholeBytes: Span<UInt8> {
        @_lifetime(immortal)
        get { unsafe Self.span(over: whole) }
    }

    @_lifetime(immortal)
    private static func span(over buffer: UnsafeBufferPointer<UInt8>) -> Span<UInt8> {
        let span = unsafe Span<UInt8>(_unsafeElements: buffer)
        return unsafe _overrideLifetime(span, copying: ())
    }

    /// The free space after the last byte; call `commit` after writing to it.
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

    /// Marks bytes as consumed.
    package mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        start &+= count
    }

    /// Drops everything and starts at the front again; the memory stays.
    package mutating func rewind() {
        start = 0
        end = 0
    }

    /// Appends bytes; false: there is not enough space, and nothing was appended.
    package mutating func append(_ bytes: Span<UInt8>) -> Bool {
        let target = unsafe writable
        guard target.count >= bytes.count else { return false }
        for index in 0..<bytes.count { unsafe target[index] = bytes[index] }
        commit(bytes.count)
        return true
    }

    /// Drops what was added from `position` on, which lies behind what was consumed.
    package mutating func truncate(to position: Int) {
        precondition(position >= start && position <= end)
        end = position
    }

    /// Writes over a byte that is there.
    package mutating func overwrite(at position: Int, _ byte: UInt8) {
        precondition(position >= start && position < end)
        unsafe memory?[position] = byte
    }

    /// Moves bytes that are there to the front, behind `position`, over what was there.
    ///
    /// - Returns: behind them.
    package mutating func moveDown(_ range: Range<Int>, to position: Int) -> Int {
        precondition(position >= start && position <= range.lowerBound && range.upperBound <= end)
        if position != range.lowerBound, !range.isEmpty, let memory = unsafe memory {
            unsafe (memory + position).update(from: memory + range.lowerBound, count: range.count)
        }
        return position &+ range.count
    }

    /// Makes bytes consumed from `position` on readable again; they must not have been overwritten.
    package mutating func unconsume(to position: Int) {
        precondition(position >= 0 && position <= start)
        start = position
    }

    /// Moves all bytes, including consumed ones, into other memory; returns the old memory.
    mutating func move(
        to memory: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> UnsafeMutablePointer<UInt8>? {
        precondition(capacity >= end, "no byte is lost by a move")
        let before = unsafe self.memory
        if end > 0, let before = unsafe before { unsafe memory.update(from: before, count: end) }
        unsafe self.memory = unsafe memory
        self.capacity = capacity
        return unsafe before
    }

    /// Moves the unconsumed bytes to `position` (the beginning, or after a head that is still
    /// needed).
    package mutating func compact(to position: Int = 0) {
        precondition(position >= 0 && position <= start)
        guard position < start, let memory = unsafe memory else { return }
        let left = count
        if left > 0 { unsafe (memory + position).update(from: memory + start, count: left) }
        start = position
        end = position &+ left
    }
}
