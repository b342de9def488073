internal import Glibc

/// Pieces of memory of one size, straight from the system and given back to it.
///
/// What malloc(3) is given back lies between what is still in use, and stays the process's. Here each
/// piece has pages of its own, whose memory the system takes when they are idle; the addresses stay.
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

    /// Bytes of a piece.
    let size: Int
    /// The same in whole pages.
    private let stride: Int
    private var regions: [Region] = []
    private var idle: [UnsafeMutablePointer<UInt8>]
    /// Idle ones that hold no memory.
    private var unloaded: [UnsafeMutablePointer<UInt8>]
    /// The fewest that were idle since the last trim.
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
        // A huge page would hold memory for pieces that are idle.
        _ = unsafe madvise(start, length, MADV_NOHUGEPAGE)
        unsafe regions.append(Region(start: start, length: length))
        for index in (0..<count).reversed() {
            unsafe unloaded.append(
                (start + index * stride).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Bytes of the idle pieces beyond so many.
    func idleBytes(beyond keep: Int) -> Int {
        unsafe max(0, idle.count - keep) * stride
    }

    /// Gives the system what was idle since the last trim, but for so many pieces.
    mutating func trim(keep: Int) {
        let surplus = unsafe min(fewestIdle, idle.count) - keep
        if surplus > 0 {
            // The front has been idle for longest.
            for index in 0..<surplus {
                let memory = unsafe idle[index]
                unsafe Self.unload(memory, size: size)
                unsafe unloaded.append(memory)
            }
            unsafe idle.removeFirst(surplus)
        }
        fewestIdle = unsafe idle.count
    }

    /// Gives the system a piece's memory; the address stays good, and reads as zeros.
    static func unload(_ memory: UnsafeMutablePointer<UInt8>, size: Int) {
        _ = unsafe madvise(memory, wholePages(size), MADV_DONTNEED)
    }

    /// Gives the system all that is idle, and leaves the addresses to the caller.
    mutating func retire() -> [Region] {
        for index in unsafe idle.indices { unsafe Self.unload(idle[index], size: size) }
        unsafe idle.removeAll()
        let left = regions
        regions = []
        return left
    }
}
