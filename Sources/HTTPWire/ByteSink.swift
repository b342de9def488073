/// Appends bytes to the caller's memory, never beyond its end.
///
/// What does not fit is dropped and `overflowed` is set, so one check at the end suffices.
@safe
package struct ByteSink {
    private let memory: UnsafeMutablePointer<UInt8>?
    private let capacity: Int
    /// Bytes appended.
    package private(set) var count = 0
    /// Something did not fit; the output must not be used.
    package private(set) var overflowed = false

    /// Appends from the start of the buffer, which must outlive the sink.
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
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe copy(base, source.count)
        }
    }

    /// Appends a literal: inlined to a few moves, since its length is a constant at the call site.
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        unsafe copy(text.utf8Start, text.utf8CodeUnitCount)
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

    /// Lower-case hexadecimal with leading zeros: the last `digits` of sixteen.
    package mutating func append(hex value: UInt64, digits: Int) {
        guard digits >= 0, digits <= 16, capacity &- count >= digits, let memory = unsafe memory
        else {
            overflowed = true
            return
        }
        let target = unsafe UnsafeMutableRawPointer(memory + count)
        count &+= digits
        var low = OctetWord.hexDigits(UInt32(truncatingIfNeeded: value))
        if digits >= 8 {
            unsafe target.storeBytes(
                of: low.littleEndian, toByteOffset: digits &- 8, as: UInt64.self)
            low = OctetWord.hexDigits(UInt32(truncatingIfNeeded: value >> 32))
        }
        let rest = digits & 7
        if digits == 16 {
            unsafe target.storeBytes(of: low.littleEndian, as: UInt64.self)
            return
        }
        low &>>= UInt64(8 &* (8 &- rest)) & 63
        for index in 0..<rest {
            unsafe target.storeBytes(
                of: UInt8(truncatingIfNeeded: low), toByteOffset: index, as: UInt8.self)
            low &>>= 8
        }
    }

    /// Lower-case hexadecimal without leading zeros, as chunk sizes are written.
    package mutating func append(hex value: UInt64) {
        append(hex: value, digits: max(1, (67 - value.leadingZeroBitCount) / 4))
    }

    @inline(__always)
    private mutating func copy(_ source: UnsafePointer<UInt8>, _ length: Int) {
        guard capacity &- count >= length, let memory = unsafe memory else {
            overflowed = overflowed || length > 0
            return
        }
        unsafe (memory + count).update(from: source, count: length)
        count &+= length
    }
}
