/// Finds the values of one name in a `Cookie` value (RFC 6265 section 4.2).
///
/// Names are compared exactly, as user agents do; spaces and one pair of quotes around a value are
/// removed. Only the first eight occurrences count. It allocates nothing and keeps no reference.
package struct CookieScanner {
    /// Occurrences of the name that are looked at.
    package static let maximumPairs = 8

    private var pairs: CookiePairs
    private var found = 0

    /// - Parameter field: the range of the value of one `Cookie` field.
    package init(_ field: Range<Int>) { pairs = CookiePairs(field) }

    /// The range of the next value of `name`, in the order of the field; nil after the last.
    package mutating func next(in bytes: Span<UInt8>, named name: Span<UInt8>) -> Range<Int>? {
        while found < Self.maximumPairs, let pair = pairs.next(in: bytes) {
            if let value = Self.value(of: pair, in: bytes, name: name) {
                found &+= 1
                return value
            }
        }
        return nil
    }

    /// The range of the value when the pair has the name; nil for another or none.
    private static func value(
        of pair: Range<Int>, in bytes: Span<UInt8>, name: Span<UInt8>
    ) -> Range<Int>? {
        guard pair.count > name.count else { return nil }
        for index in 0..<name.count where bytes[pair.lowerBound &+ index] != name[index] {
            return nil
        }
        var index = pair.lowerBound &+ name.count
        while index < pair.upperBound, Octets.isSpace(bytes[index]) { index &+= 1 }
        guard index < pair.upperBound, bytes[index] == UInt8(ascii: "=") else { return nil }
        let value = Octets.trimmed(bytes, index &+ 1..<pair.upperBound)
        let quote = UInt8(ascii: "\"")
        guard value.count >= 2, bytes[value.lowerBound] == quote,
            bytes[value.upperBound &- 1] == quote
        else { return value }
        return value.lowerBound &+ 1..<value.upperBound &- 1
    }
}
