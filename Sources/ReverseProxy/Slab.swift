/// A fixed number of places for plain values, each with a serial that changes when it is emptied.
///
/// Elements are addressed by place and changed where they lie, without copying, reference counting
/// or exclusivity bookkeeping; that is why they must be plain data (no references inside) and why
/// one thread owns a slab. Memory is reserved at once and touched only as places come into use. A
/// reference from outside (an event, a message, a timer) carries place and serial, so that it
/// cannot reach a later tenant.
@safe
struct Slab<Element>: ~Copyable {
    private let elements: UnsafeMutablePointer<Element>
    private let serials: UnsafeMutablePointer<UInt32>
    /// Places emptied and not yet taken again, the last emptied first: its memory is still warm.
    private var free: [UInt32] = []
    /// Places from here on have never been taken.
    private(set) var untouched = 0
    /// How many places there are.
    let capacity: Int
    /// How many places are taken.
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

    /// Takes a place for a value; nil when all are taken.
    mutating func insert(_ element: Element) -> Int? {
        let place: Int
        if let last = free.popLast() {
            place = Int(last)
        } else if untouched < capacity {
            place = untouched
            untouched += 1
            unsafe serials[place] = 0
        } else {
            return nil
        }
        unsafe (elements + place).initialize(to: element)
        // Odd while taken, so that a number from an empty place never fits.
        unsafe serials[place] &+= 1
        count += 1
        return place
    }

    /// Empties a taken place.
    mutating func remove(_ place: Int) {
        precondition(isTaken(place), "an empty place cannot be emptied")
        unsafe (elements + place).deinitialize(count: 1)
        unsafe serials[place] &+= 1
        free.append(UInt32(truncatingIfNeeded: place))
        count -= 1
    }

    /// The serial of a place's present tenant.
    func serial(_ place: Int) -> UInt32 {
        precondition(place >= 0 && place < untouched)
        return unsafe serials[place]
    }

    /// Whether the place is still held by the tenant that had this serial.
    func holds(_ place: Int, serial: UInt32) -> Bool {
        unsafe place >= 0 && place < untouched && serials[place] == serial && serial & 1 == 1
    }

    func isTaken(_ place: Int) -> Bool {
        unsafe place >= 0 && place < untouched && serials[place] & 1 == 1
    }

    /// The places taken, lowest first; for sweeps, not for the request path.
    func takenPlaces() -> [Int] { (0..<untouched).filter { isTaken($0) } }

    /// The value in a taken place, changed where it lies.
    ///
    /// In debug builds an empty place traps: what it held belongs to nobody any more.
    subscript(place: Int) -> Element {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer(to: place)) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer(to: place) }
    }

    /// Where the value in a taken place lies, for an owner that passes it on as its own subscript.
    @inline(__always)
    func pointer(to place: Int) -> UnsafeMutablePointer<Element> {
        precondition(place >= 0 && place < capacity)
        assert(isTaken(place), "place \(place) is not in use")
        return unsafe elements + place
    }
}
