/// Classes of octets (RFC 9110 sections 5.5 and 5.6, RFC 9112 section 2.2).
enum Octets {
    /// tchar, for methods and field names: two words of bits, so that a look-up touches no memory.
    static func isToken(_ byte: UInt8) -> Bool {
        let low: UInt64 = 0x03ff_6cfa_0000_0000
        let high: UInt64 = 0x57ff_ffff_c7ff_fffe
        guard byte < 128 else { return false }
        let word = byte < 64 ? low : high
        return word >> UInt64(byte & 63) & 1 == 1
    }

    /// The octets allowed in a field value: visible, space, tab, and octets above ASCII.
    static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f || byte == 0x09
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit; 255: not a digit.
    static func hexValue(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let lower = byte | 0x20
        return lower &- 0x61 < 6 ? lower &- 0x61 &+ 10 : 255
    }

    /// Marks the control characters among eight octets, including tabs, by the highest bit of each.
    ///
    /// Only the lowest mark is exact; octets above it may be marked wrongly.
    static func controls(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let below = (word &- ones &* 0x20) & ~word & highs
        let deleted = word ^ (ones &* 0x7f)
        let isDelete = (deleted &- ones) & ~deleted & highs
        return below | isDelete
    }

    /// Whether the octets of a range spell a lower-case literal, ignoring case.
    @inline(__always)
    static func spells(_ bytes: Span<UInt8>, _ range: Range<Int>, _ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard range.count == length else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        return spells(bytes, at: range.lowerBound, literal, length)
    }

    /// The same from an offset, from which at least as many octets exist.
    private static func spells(
        _ bytes: Span<UInt8>, at start: Int, _ literal: StaticString, _ length: Int
    ) -> Bool {
        guard length >= 8 else {
            for offset in 0..<length
            where lowered(bytes[start &+ offset]) != literal.octet(offset) {
                return false
            }
            return true
        }
        let raw = unsafe bytes.bytes
        let spelling = unsafe RawSpan(_unsafeStart: literal.utf8Start, byteCount: length)
        var offset = 0
        while true {
            if OctetWord.lowered(raw.octetWord(start &+ offset)) != spelling.octetWord(offset) {
                return false
            }
            if offset == length &- 8 { return true }
            // The last word overlaps the one before it.
            offset = min(offset &+ 8, length &- 8)
        }
    }

    /// Whether two ranges hold the same octets, ignoring case.
    static func isSame(_ bytes: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        for offset in 0..<one.count
        where lowered(bytes[one.lowerBound &+ offset]) != lowered(bytes[other.lowerBound &+ offset])
        {
            return false
        }
        return true
    }

    /// Lower-cases an ASCII letter; anything else is unchanged.
    static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Maps `_` to `-`, since CGI maps both to one variable.
    static func hyphenated(_ byte: UInt8) -> UInt8 { byte == 0x5f ? 0x2d : byte }

    /// The first position of an octet in a range; the range's end if it does not occur.
    static func first(_ octet: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        let raw = unsafe bytes.bytes
        var position = range.lowerBound
        while position &+ 8 <= range.upperBound {
            let hits = OctetWord.equal(raw.octetWord(position), octet)
            if hits != 0 { return position &+ OctetWord.first(hits) }
            position &+= 8
        }
        while position < range.upperBound, bytes[position] != octet { position &+= 1 }
        return position
    }

    /// The range without leading and trailing spaces and tabs.
    static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, isSpace(bytes[lower]) { lower &+= 1 }
        while lower < upper, isSpace(bytes[upper &- 1]) { upper &-= 1 }
        return lower..<upper
    }

    /// Parses decimal digits; nil: empty, invalid or too large (RFC 9110 section 8.6).
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count <= 19 else { return nil }
        var value: UInt64 = 0
        for index in range {
            guard isDigit(bytes[index]) else { return nil }
            value = value &* 10 &+ UInt64(bytes[index] &- 0x30)
        }
        return value <= UInt64(Int64.max) ? value : nil
    }

    /// Parses 16 hexadecimal digits; nil: anything else.
    static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard range.count == 16 else { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = hexValue(bytes[index])
            guard digit < 16 else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

/// The elements of a comma-separated list (RFC 9110 section 5.6.1), without empty ones.
struct ListElements {
    private var position: Int
    private let end: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        while position < end {
            var stop = position
            while stop < end, bytes[stop] != 0x2c { stop &+= 1 }
            let element = Octets.trimmed(bytes, position..<stop)
            position = stop &+ 1
            if !element.isEmpty { return element }
        }
        return nil
    }
}

extension StaticString {
    /// The octet at an offset below the length.
    func octet(_ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < utf8CodeUnitCount)
        return unsafe utf8Start[offset]
    }
}
