/// An IPv4 or IPv6 address as 128 bits; IPv4 in its mapped form (RFC 4291 section 2.5.5.2).
///
/// So an IPv4 peer is equal whether its socket is dual-stack or IPv4 only.
package struct IPAddress: Hashable, Sendable {
    /// The first eight bytes.
    package let high: UInt64
    /// The last eight bytes.
    package let low: UInt64

    /// The most characters that `write` appends.
    package static let maximumTextLength = 39

    private static let mappedPrefix: UInt64 = 0xffff

    /// An IPv6 address, or the mapped form of an IPv4 one.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address as a number in host order.
    package init(v4 value: UInt32) {
        high = 0
        low = Self.mappedPrefix << 32 | UInt64(value)
    }

    /// An address from the wire: four or sixteen bytes; nil: another count.
    package init?(bytes: Span<UInt8>) {
        switch bytes.count {
        case 4:
            self.init(v4: UInt32(truncatingIfNeeded: Self.number(bytes, 0..<4)))
        case 16:
            self.init(high: Self.number(bytes, 0..<8), low: Self.number(bytes, 8..<16))
        default:
            return nil
        }
    }

    /// Parses an address alone: dotted decimal or RFC 4291 section 2.2; nil: anything else.
    ///
    /// Strict, so that all parsers agree: four decimal parts without leading zeros; no brackets,
    /// port or zone.
    package init?(text: Span<UInt8>) {
        var isV6 = false
        for index in 0..<min(text.count, 5) where text[index] == 0x3a { isV6 = true }
        if isV6 {
            guard let parsed = Self.v6(text) else { return nil }
            self = parsed
        } else {
            guard let value = Self.v4(text, 0..<text.count) else { return nil }
            self.init(v4: value)
        }
    }

    /// IPv4, plain or mapped.
    package var isV4: Bool { high == 0 && low >> 32 == Self.mappedPrefix }

    /// Appends the text: dotted decimal, or RFC 5952 with lower case and the longest run of zeros
    /// compressed.
    package func write(into sink: inout ByteSink) {
        if isV4 {
            writeV4(into: &sink)
            return
        }
        let gap = longestZeros
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, gap.count > 1 {
                sink.append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.count < 2 { sink.append(":") }
            sink.append(hex: UInt64(group(index)))
            index += 1
        }
    }

    private func writeV4(into sink: inout ByteSink) {
        for index in 0..<4 {
            if index > 0 { sink.append(".") }
            sink.append(decimal: low >> UInt64(24 - 8 * index) & 255)
        }
    }

    /// One of the eight groups of sixteen bits.
    private func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index & 3)))
    }

    /// The first of the longest runs of zero groups; compressed only from two groups on.
    private var longestZeros: Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index + 1
            } else if index + 1 - start > best.count {
                best = start..<index + 1
            }
        }
        return best
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var value: UInt64 = 0
        for index in range { value = value << 8 | UInt64(bytes[index]) }
        return value
    }
}

extension IPAddress {
    private static func v4(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        guard range.count <= 15 else { return nil }
        var value: UInt32 = 0
        var position = range.lowerBound
        for part in 0..<4 {
            if part > 0 {
                guard position < range.upperBound, text[position] == 0x2e else { return nil }
                position += 1
            }
            let start = position
            while position < range.upperBound, Octets.isDigit(text[position]) { position += 1 }
            guard (1...3).contains(position - start),
                position - start == 1 || text[start] != 0x30,
                let number = Octets.decimal(text, start..<position), number <= 255
            else { return nil }
            value = value << 8 | UInt32(truncatingIfNeeded: number)
        }
        return position == range.upperBound ? value : nil
    }

    private static func v6(_ text: Span<UInt8>) -> IPAddress? {
        guard text.count >= 2, text.count <= 45 else { return nil }
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        // The number of groups before the `::`; -1: there is none.
        var gap = -1
        var position = 0
        if text[0] == 0x3a {
            guard text[1] == 0x3a else { return nil }
            gap = 0
            position = 2
        }
        while position < text.count {
            let start = position
            var value: UInt32 = 0
            while position < text.count, Octets.hexValue(text[position]) != 255 {
                value = value << 4 | UInt32(Octets.hexValue(text[position]))
                position += 1
                if position - start > 4 { return nil }
            }
            if position < text.count, text[position] == 0x2e {
                guard count <= 6, let v4 = v4(text, start..<text.count) else { return nil }
                groups[count] = UInt16(truncatingIfNeeded: v4 >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: v4)
                count += 2
                break
            }
            guard position > start, count < 8 else { return nil }
            groups[count] = UInt16(truncatingIfNeeded: value)
            count += 1
            if position == text.count { break }
            guard text[position] == 0x3a, position + 1 < text.count else { return nil }
            position += 1
            if text[position] == 0x3a {
                guard gap < 0 else { return nil }
                gap = count
                position += 1
            }
        }
        return assembled(groups, count: count, gap: gap)
    }

    private static func assembled(
        _ groups: InlineArray<8, UInt16>, count: Int, gap: Int
    ) -> IPAddress? {
        // A `::` stands for at least one group of zeros.
        guard gap < 0 ? count == 8 : count < 8 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            let behind = index - (8 - count)
            let isZero = gap >= 0 && index >= gap && behind < gap
            let group: UInt16 =
                isZero ? 0 : groups[gap >= 0 && index >= gap ? behind : index]
            if index < 4 {
                high = high << 16 | UInt64(group)
            } else {
                low = low << 16 | UInt64(group)
            }
        }
        return IPAddress(high: high, low: low)
    }
}
