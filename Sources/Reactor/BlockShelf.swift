internal import Glibc

/// Memory pieces of one size, allocated from the system and returned to it directly.
///
/// Memory freed by free(3) often stays with the process, between allocations still in use. Here
/// each piece has its own pages, which go back to the system when idle; the addresses stay
/// reserved.
@safe
struct BlockShelf: ~Copyable {
    /// Addresses from one call of mmap(2).
    @safe struct Region {
        let start: UnsafeMutableRawPointer
        let length: Int

        func contains(_ memory: UnsafeMutablePointer<UInt8>) -> Bool {
            let address = UInt(bitPattern: memory)
            let first = UInt(bitPattern: unsafe start)
            return address >= first && address < first + UInt(length)
        }
    }

    private static let pageSize = 4096
    private static let regionSize = 1 << 20

    /// The size of a piece in bytes.
    let size: Int
    /// The same in whole pages.
    private let stride: Int
    private var regions: [Region] = []
    private var idle: [UnsafeMutablePointer<UInt8>]
    /// Idle pieces without memory.
    private var unloaded: [UnsafeMutablePointer<UInt8>]
    /// The fewest idle pieces since the last trim.
    private var fewestIdle = 0

    init(size: Int) {
        self.size = size
        stride = Self.wholePages(size)
        unsafe idle = []
        unsafe unloaded = []
    }

    deinit {
        for region in regions { unsafe munmap(region.start, region.length) }
    }

    private static func wholePages(_ size: Int) -> Int {
        (max(1, size) + pageSize - 1) / pageSize * pageSize
    }

    mutating func take() -> UnsafeMutablePointer<UInt8> {
        if let memory = unsafe idle.popLast() {
            if unsafe idle.count < fewestIdle { fewestIdle = unsafe idle.count }
            return unsafe memory
        }
        if unsafe unloaded.isEmpty { map() }
        return unsafe unloaded.removeLast()
    }

    mutating func give(_ memory: UnsafeMutablePointer<UInt8>) { unsafe idle.append(memory) }

    private mutating func map() {
        let count = max(1, Self.regionSize / stride)
        let length = count * stride
        let start = unsafe mmap(
            nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            preconditionFailure("the system has no memory for buffers")
        }
        // A huge page would keep memory for idle pieces.
        _ = unsafe madvise(start, length, MADV_NOHUGEPAGE)
        unsafe regions.append(Region(start: start, length: length))
        for index in (0..<count).reversed() {
            unsafe unloaded.append(
                (start + index * stride).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Bytes of idle pieces beyond the given number.
    func idleBytes(beyond keep: Int) -> Int {
        unsafe max(0, idle.count - keep) * stride
    }

    /// Returns the memory of pieces idle since the last trim, except for the given number.
    mutating func trim(keep: Int) {
        let surplus = unsafe min(fewestIdle, idle.count) - keep
        if surplus > 0 {
            // The front has been idle longest.
            for index in 0..<surplus {
                let memory = unsafe idle[index]
                unsafe Self.unload(memory, size: size)
                unsafe unloaded.append(memory)
            }
            unsafe idle.removeFirst(surplus)
        }
        fewestIdle = unsafe idle.count
    }

    /// Returns a piece's memory to the system; the address stays valid and reads as zeros.
    static func unload(_ memory: UnsafeMutablePointer<UInt8>, size: Int) {
        _ = unsafe madvise(memory, wholePages(size), MADV_DONTNEED)
    }

    /// Returns all idle memory, and passes the address ranges to the caller.
    mutating func retire() -> [Region] {
        for index in unsafe idle.indices { unsafe Self.unload(idle[index], size: size) }
        unsafe idle.removeAll()
        let left = regions
        regions = []
        return left
    }
}
