/// A range in the parsed buffer: eight bytes, no reference.
package struct ByteRange: Equatable, Sendable {
    package var start: UInt32
    package var count: UInt32

    package init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    package init(_ range: Range<Int>) {
        start = UInt32(truncatingIfNeeded: range.lowerBound)
        count = UInt32(truncatingIfNeeded: range.count)
    }

    /// An empty range.
    package static let empty = ByteRange(start: 0, count: 0)

    package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    package var isEmpty: Bool { count == 0 }
}
