/// Eight octets at a time, as one word (SWAR: Lamport 1975; Warren, Hacker's Delight 6).
///
/// Each test sets the highest bit of every matching octet, exactly: the result of an octet does not
/// depend on its neighbours. The first octet in memory is the lowest of the word.
enum OctetWord {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080
    private static let lows: UInt64 = 0x7f7f_7f7f_7f7f_7f7f

    /// Marks the octets equal to the given one.
    @inline(__always)
    static func equal(_ word: UInt64, _ octet: UInt8) -> UInt64 {
        let differs = word ^ (ones &* UInt64(octet))
        return ~(((differs & lows) &+ lows) | differs) & highs
    }

    /// Marks letters, digits and `-`, which make up most field names.
    @inline(__always)
    static func nameCharacters(_ word: UInt64) -> UInt64 {
        let octets = word & lows
        let lower = octets | ones &* 0x20
        let letters = (lower &+ ones &* (0x80 - 0x61)) & ~(lower &+ ones &* (0x7f - 0x7a))
        let digits = (octets &+ ones &* (0x80 - 0x30)) & ~(octets &+ ones &* (0x7f - 0x39))
        let hyphens = ~((octets ^ (ones &* 0x2d)) &+ lows)
        return (letters | digits | hyphens) & ~word & highs
    }

    /// Lower-cases ASCII letters and leaves all else unchanged.
    @inline(__always)
    static func lowered(_ word: UInt64) -> UInt64 {
        let octets = word & lows
        let capitals =
            (octets &+ ones &* (0x80 - 0x41)) & ~(octets &+ ones &* (0x7f - 0x5a)) & ~word & highs
        return word | capitals >> 2
    }

    /// The eight hexadecimal digits of a number, the first in the lowest octet.
    @inline(__always)
    static func hexDigits(_ number: UInt32) -> UInt64 {
        var nibbles = UInt64(number)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        let letters = ((nibbles &+ ones &* 6) >> 4) & ones
        return (nibbles &+ ones &* 0x30 &+ letters &* (0x61 - 0x30 - 10)).byteSwapped
    }

    /// The index of the lowest marked octet.
    @inline(__always)
    static func first(_ marks: UInt64) -> Int { marks.trailingZeroBitCount &>> 3 }
}

extension RawSpan {
    /// Loads eight octets from an offset, which must all exist.
    @inline(__always)
    func octetWord(_ offset: Int) -> UInt64 {
        let word = unsafe unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset, as: UInt64.self)
        return UInt64(littleEndian: word)
    }
}
