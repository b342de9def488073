/// Finds the values of one name in a Cookie field's value (RFC 6265 section 4.2).
///
/// Names are compared exactly, as user agents do, and spaces and one pair of quotes around a value are
/// taken off. The first eight occurrences are looked at.
///
/// The whole value is read at the making, so that no reference to it is kept; it allocates nothing.
package struct CookieScanner {
    /// Occurrences of the name that are looked at.
    package static let maximumPairs = 8

    private var values = InlineArray<8, Range<Int>>(repeating: 0..<0)
    private var found = 0
    private var taken = 0

    /// Reads `field`, the value of one Cookie field.
    package init(_ field: Span<UInt8>, name: Span<UInt8>) {
        var start = 0
        while start < field.count, found < Self.maximumPairs {
            let end = Self.end(of: start, in: field)
            let content = Self.trim(start..<end, in: field)
            if let value = Self.value(of: content, in: field, name: name) {
                values[found] = value
                found += 1
            }
            start = end + 1
        }
    }

    /// The place of the next value, in the order of the field; nil after the last.
    package mutating func next() -> Range<Int>? {
        guard taken < found else { return nil }
        defer { taken += 1 }
        return values[taken]
    }

    /// Where the pair that begins at `start` ends: at its semicolon or the field's end.
    private static func end(of start: Int, in field: Span<UInt8>) -> Int {
        var index = start
        while index < field.count, field[index] != UInt8(ascii: ";") { index += 1 }
        return index
    }

    /// The range of the value when the pair has the name; nil for another or none.
    private static func value(
        of pair: Range<Int>, in field: Span<UInt8>, name: Span<UInt8>
    ) -> Range<Int>? {
        guard pair.count > name.count else { return nil }
        for index in 0..<name.count where field[pair.lowerBound + index] != name[index] {
            return nil
        }
        var index = pair.lowerBound + name.count
        while index < pair.upperBound, isSpace(field[index]) { index += 1 }
        guard index < pair.upperBound, field[index] == UInt8(ascii: "=") else { return nil }
        let value = trim(index + 1..<pair.upperBound, in: field)
        let quote = UInt8(ascii: "\"")
        guard value.count >= 2, field[value.lowerBound] == quote,
            field[value.upperBound - 1] == quote
        else { return value }
        return value.lowerBound + 1..<value.upperBound - 1
    }

    private static func trim(_ range: Range<Int>, in field: Span<UInt8>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, isSpace(field[lower]) { lower += 1 }
        while upper > lower, isSpace(field[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 9 }
}
