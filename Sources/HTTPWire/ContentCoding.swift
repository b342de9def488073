/// A coding of content, for which a file may lie ready beside the original.
package enum ContentCoding: UInt8, CaseIterable, Sendable {
    // In the order of preference among those that a client likes equally: the smallest first.
    case brotli, zstandard, gzip

    /// The name of the coding in fields.
    package var name: StaticString {
        switch self {
        case .brotli: "br"
        case .zstandard: "zstd"
        case .gzip: "gzip"
        }
    }

    /// The ending of a file with the content in this coding.
    package var ending: StaticString {
        switch self {
        case .brotli: ".br"
        case .zstandard: ".zst"
        case .gzip: ".gz"
        }
    }
}

/// The codings of content that a client accepts (RFC 9110 section 12.5.3).
package struct AcceptedCodings: Sendable {
    /// In thousandths, by the raw value of the coding; 0: not acceptable.
    private var weights = InlineArray<3, Int>(repeating: 0)

    /// - Parameters:
    ///   - head: parsed from `bytes`.
    package init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        var given = InlineArray<3, Int>(repeating: -1)
        var others = 0
        var plain = 0
        for index in 0..<head.fields.count
        where Octets.spells(bytes, head.fields[index].name.range, "accept-encoding") {
            var elements = ListElements(head.fields[index].value.range)
            while let element = elements.next(bytes) {
                let end = Octets.first(UInt8(ascii: ";"), in: bytes, element)
                let name = Octets.trimmed(bytes, element.lowerBound..<end)
                let weight = AnswerPreference.weight(bytes, end..<element.upperBound)
                if let coding = Self.coding(bytes, name) {
                    given[Int(coding.rawValue)] = weight
                } else if Octets.spells(bytes, name, "identity") {
                    plain = weight
                } else if Octets.spells(bytes, name, "*") {
                    others = weight
                }
            }
        }
        for index in 0..<3 {
            let weight = given[index] >= 0 ? given[index] : others
            // One that is liked less than the content as it is would be no service.
            weights[index] = weight < plain ? 0 : weight
        }
    }

    private static func coding(_ bytes: Span<UInt8>, _ name: Range<Int>) -> ContentCoding? {
        if Octets.spells(bytes, name, "gzip") || Octets.spells(bytes, name, "x-gzip") {
            return .gzip
        }
        if Octets.spells(bytes, name, "br") { return .brotli }
        return Octets.spells(bytes, name, "zstd") ? .zstandard : nil
    }

    /// Takes the coding that the client likes best; nil: none is left.
    package mutating func takeBest() -> ContentCoding? {
        var best: ContentCoding?
        var most = 0
        for index in 0..<3 where weights[index] > most {
            most = weights[index]
            best = ContentCoding(rawValue: UInt8(index))
        }
        if let best { weights[Int(best.rawValue)] = 0 }
        return best
    }
}
