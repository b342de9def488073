/// Where something lies in the buffer that was parsed: eight bytes, no reference.
package struct ByteRange: Equatable, Sendable {
    package var start: UInt32
    package var count: UInt32

    package init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    init(_ range: Range<Int>) {
        start = UInt32(truncatingIfNeeded: range.lowerBound)
        count = UInt32(truncatingIfNeeded: range.count)
    }

    /// Nothing.
    package static let empty = ByteRange(start: 0, count: 0)

    package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    package var isEmpty: Bool { count == 0 }
}

/// Byte ranges of a head that are left out when it is forwarded, in ascending order.
///
/// There is place for eight. Of a head with more all that follows the eighth is left out, as far as
/// the reader of the ranges goes: nothing that was to be removed ever stays.
package struct Removals: Sendable {
    private var ranges = InlineArray<8, ByteRange>(repeating: .empty)
    package private(set) var count = 0

    package init() {}

    /// Adds a range behind the others.
    package mutating func append(_ range: Range<Int>) {
        if count == 8 {
            ranges[7].count = .max - ranges[7].start
            return
        }
        ranges[count] = ByteRange(range)
        count += 1
    }

    package subscript(index: Int) -> Range<Int> { ranges[index].range }
}
