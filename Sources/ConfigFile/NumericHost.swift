/// Numeric IP addresses; host names are never resolved.
enum NumericHost {
    /// An IPv4 address in dotted decimal; nil for anything else, including leading zeros, which
    /// some programs read as octal.
    static func parseIPv4(_ text: Substring) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        for part in parts {
            let isShort = (1...3).contains(part.count)
            let hasZero = part.count > 1 && part.first == UInt8(ascii: "0")
            guard isShort, !hasZero, part.allSatisfy(isDigit), UInt8(String(part) ?? "") != nil
            else { return nil }
        }
        return String(text)
    }

    /// An IPv6 address without brackets and zone, in its canonical form (RFC 5952).
    static func parseIPv6(_ text: Substring) -> String? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = splitAtGap(text)
        guard halves.count <= 2 else { return nil }
        guard let head = words(halves[0], isEnd: halves.count == 1) else { return nil }
        guard halves.count == 2 else { return head.count == 8 ? canonical(head) : nil }
        guard let tail = words(halves[1], isEnd: true), head.count + tail.count < 8 else {
            return nil
        }
        let gap = [UInt16](repeating: 0, count: 8 - head.count - tail.count)
        return canonical(head + gap + tail)
    }

    /// The parts around `::`; three or more if the text is not an address.
    private static func splitAtGap(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var rest = text
        while let gap = rest.firstRange(of: "::") {
            parts.append(rest[..<gap.lowerBound])
            rest = rest[gap.upperBound...]
        }
        return parts + [rest]
    }

    /// The 16-bit words of one side of the gap; the last may be an IPv4 address.
    private static func words(_ text: Substring, isEnd: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var words: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if isEnd, index == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let address = parseIPv4(part) else { return nil }
                let bytes = address.split(separator: ".").compactMap { UInt16($0) }
                words += [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal),
                    let word = UInt16(part, radix: 16)
                else { return nil }
                words.append(word)
            }
        }
        return words.count <= 8 ? words : nil
    }

    /// Lower case, with the longest run of two or more zero words as `::`.
    private static func canonical(_ words: [UInt16]) -> String {
        var best = 0..<0
        var start = 0
        for index in 0...words.count where index == words.count || words[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard best.count > 1 else { return text(words[...]) }
        return text(words[..<best.lowerBound]) + "::" + text(words[best.upperBound...])
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
