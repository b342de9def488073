/// Body bytes that wait for their reader, in one allocation that exists only while needed.
///
/// It has no limit of its own: callers bound what they append.
@safe
struct HTTP2ByteQueue: ~Copyable {
    /// Memory up to this size is kept while the queue is empty.
    private static let keptCapacity = 4096

    private let total: HTTP2Memory
    private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    /// Bytes that wait.
    private(set) var count = 0

    /// - Parameter total: accounts for the allocated memory.
    init(_ total: HTTP2Memory) { self.total = total }

    deinit {
        total.bytes -= unsafe memory.count
        unsafe memory.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Adds bytes behind the others.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        makeRoom(bytes.count)
        let end = start + count
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[end...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Moves as many bytes as fit from the front to the buffer.
    mutating func take(into room: UnsafeMutableRawBufferPointer) -> Int {
        let moved = min(count, room.count)
        guard moved > 0 else { return 0 }
        unsafe room.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: memory[start..<start + moved]))
        start += moved
        count -= moved
        if count == 0 { removeAll() }
        return moved
    }

    /// Drops the waiting bytes; returns their number.
    @discardableResult
    mutating func removeAll() -> Int {
        let dropped = count
        start = 0
        count = 0
        if unsafe memory.count > Self.keptCapacity {
            total.bytes -= unsafe memory.count
            unsafe memory.deallocate()
            unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return dropped
    }

    private mutating func makeRoom(_ more: Int) {
        if unsafe start + count + more <= memory.count { return }
        let old = unsafe UnsafeRawBufferPointer(memory)
        if unsafe count + more <= memory.count {
            unsafe memory.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: old[start..<start + count]))
        } else {
            let size = unsafe max(1024, memory.count * 2, count + more)
            let new = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
            unsafe new.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: old[start..<start + count]))
            total.bytes += unsafe size - memory.count
            unsafe memory.deallocate()
            unsafe memory = new
        }
        start = 0
    }
}
