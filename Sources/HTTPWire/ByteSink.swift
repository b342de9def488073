/// Appends bytes to memory of somebody else's, and never beyond its end.
///
/// What does not fit is left out and `overflowed` is set; so one check at the end serves for all.
@safe
package struct ByteSink {
    private let memory: UnsafeMutablePointer<UInt8>?
    private let capacity: Int
    /// Bytes appended.
    package private(set) var count = 0
    /// Something did not fit; what was appended is not to be used.
    package private(set) var overflowed = false

    /// Appends from the beginning of the buffer, which must outlive the sink.
    package init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        unsafe memory = buffer.baseAddress
        capacity = buffer.count
    }

    /// One byte.
    package mutating func append(_ byte: UInt8) {
        guard count < capacity, let memory = unsafe memory else {
            overflowed = true
            return
        }
        unsafe memory[count] = byte
        count &+= 1
    }

    /// All of them.
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in unsafe copy(source) }
    }

    /// The text as it stands in the source.
    package mutating func append(_ text: StaticString) {
        unsafe copy(
            UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Decimal digits without leading zeros.
    package mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Lower-case hexadecimal with leading zeros.
    package mutating func append(hex value: UInt64, digits: Int) {
        var shift = UInt64(digits) &* 4
        while shift > 0 {
            shift &-= 4
            append(Self.digit(UInt8(truncatingIfNeeded: value >> shift & 15)))
        }
    }

    /// Lower-case hexadecimal without leading zeros, as chunk sizes are written.
    package mutating func append(hex value: UInt64) {
        append(hex: value, digits: max(1, (67 - value.leadingZeroBitCount) / 4))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    private mutating func copy(_ source: UnsafeBufferPointer<UInt8>) {
        guard source.count > 0 else { return }
        guard capacity &- count >= source.count, let memory = unsafe memory,
            let base = source.baseAddress
        else {
            overflowed = true
            return
        }
        unsafe (memory + count).update(from: base, count: source.count)
        count &+= source.count
    }
}
