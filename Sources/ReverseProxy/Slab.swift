/// A fixed number of entries for plain values, each with a serial that changes when it is emptied.
///
/// Elements are addressed by index and modified in place, without copying, reference counting or
/// exclusivity checks; hence they must be plain data (no references inside) and one thread must own
/// a slab. Memory is reserved at once and touched only as entries come into use. A reference from
/// outside (an event, a message, a timer) carries entry and serial, so that it cannot reach a later
/// tenant.
@safe
struct Slab<Element>: ~Copyable {
    private let elements: UnsafeMutablePointer<Element>
    private let serials: UnsafeMutablePointer<UInt32>
    /// Entries emptied and not reused yet, the last emptied first: its memory is still in the
    /// cache.
    private var free: [UInt32] = []
    /// Entries from here on have never been used.
    private(set) var untouched = 0
    /// How many entries there are.
    let capacity: Int
    /// How many entries are taken.
    private(set) var count = 0

    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= Int(UInt32.max >> 2))
        self.capacity = capacity
        unsafe elements = .allocate(capacity: capacity)
        unsafe serials = .allocate(capacity: capacity)
    }

    deinit {
        unsafe elements.deallocate()
        unsafe serials.deallocate()
    }

    /// Stores a value in a free entry; nil: all are taken.
    mutating func insert(_ element: Element) -> Int? {
        let entry: Int
        if let last = free.popLast() {
            entry = Int(last)
        } else if untouched < capacity {
            entry = untouched
            untouched += 1
            unsafe serials[entry] = 0
        } else {
            return nil
        }
        unsafe (elements + entry).initialize(to: element)
        // Odd while taken, so that the serial of an empty entry never matches.
        unsafe serials[entry] &+= 1
        count += 1
        return entry
    }

    /// Empties a taken entry.
    mutating func remove(_ entry: Int) {
        precondition(isTaken(entry), "an empty entry cannot be emptied")
        unsafe (elements + entry).deinitialize(count: 1)
        unsafe serials[entry] &+= 1
        free.append(UInt32(truncatingIfNeeded: entry))
        count -= 1
    }

    /// The serial of an entry's current tenant.
    func serial(_ entry: Int) -> UInt32 {
        precondition(entry >= 0 && entry < untouched)
        return unsafe serials[entry]
    }

    /// Whether the entry is still held by the tenant that had this serial.
    func holds(_ entry: Int, serial: UInt32) -> Bool {
        unsafe entry >= 0 && entry < untouched && serials[entry] == serial && serial & 1 == 1
    }

    func isTaken(_ entry: Int) -> Bool {
        unsafe entry >= 0 && entry < untouched && serials[entry] & 1 == 1
    }

    /// The taken entries, lowest first; for sweeps, not for the request path.
    func takenEntries() -> [Int] { (0..<untouched).filter { isTaken($0) } }

    /// The value in a taken entry, modified in place.
    ///
    /// An empty entry traps in debug builds: its contents are stale.
    subscript(entry: Int) -> Element {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer(to: entry)) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer(to: entry) }
    }

    /// The address of the value in a taken entry, for an owner's own subscript.
    @inline(__always)
    func pointer(to entry: Int) -> UnsafeMutablePointer<Element> {
        precondition(entry >= 0 && entry < capacity)
        assert(isTaken(entry), "entry \(entry) is not in use")
        return unsafe elements + entry
    }
}
