/// The parts of a file that a client asks for (RFC 9110 section 14).
package enum RangeSelection: Equatable, Sendable {
    /// There is no `Range`, or it is ignored.
    case whole
    case part(Range<Int64>)
    /// Several, apart from each other, in the order in which they were asked for.
    case parts([Range<Int64>])
    /// None of the parts is in the file: 416.
    case outside

    /// More ranges than any player or reader of documents asks for at once: they are ignored.
    private static let most = 16

    /// Reads the ranges of a GET.
    ///
    /// A field that is no valid list of byte ranges is ignored. So are sets that cost more than the
    /// whole file: many ranges, and those that overlap (RFC 9110 section 14.2).
    ///
    /// - Parameters:
    ///   - head: parsed from `bytes`.
    ///   - size: of the file.
    package init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, size: Int64) {
        self = .whole
        guard let value = head.onlyValue(of: "range", bytes),
            let set = Self.byteRangeSet(bytes, value)
        else { return }
        var found: [Range<Int64>] = []
        var count = 0
        var elements = ListElements(set)
        while let element = elements.next(bytes) {
            count &+= 1
            if count > Self.most { return }
            switch Self.resolve(bytes, element, size: size) {
            case .bad: return
            case .outside: continue
            case .inside(let range):
                // One range is the rule, for which nothing is allocated.
                if count == 1, element.upperBound == set.upperBound {
                    self = .part(range)
                    return
                }
                found.append(range)
            }
        }
        guard count > 0 else { return }
        if found.count == 1 {
            self = .part(found[0])
        } else if found.isEmpty {
            self = .outside
        } else if !Self.overlap(found) {
            self = .parts(found)
        }
    }

    /// The ranges behind `bytes=`; nil: another unit.
    private static func byteRangeSet(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Range<Int>? {
        let equals = Octets.first(UInt8(ascii: "="), in: bytes, value)
        guard equals < value.upperBound,
            Octets.spells(bytes, value.lowerBound..<equals, "bytes")
        else { return nil }
        return Octets.trimmed(bytes, equals &+ 1..<value.upperBound)
    }

    private enum Resolved {
        case inside(Range<Int64>), outside, bad
    }

    private static func resolve(
        _ bytes: Span<UInt8>, _ element: Range<Int>, size: Int64
    ) -> Resolved {
        let hyphen = Octets.first(UInt8(ascii: "-"), in: bytes, element)
        guard hyphen < element.upperBound else { return .bad }
        let front = element.lowerBound..<hyphen
        let back = hyphen &+ 1..<element.upperBound
        guard !front.isEmpty else {
            guard let length = number(bytes, back) else { return .bad }
            if length == 0 { return .outside }
            // The last bytes of an empty file cannot be named: it is sent as it is.
            return size == 0 ? .bad : .inside(max(0, size - length)..<size)
        }
        guard let first = number(bytes, front) else { return .bad }
        if back.isEmpty { return first < size ? .inside(first..<size) : .outside }
        guard let last = number(bytes, back), last >= first else { return .bad }
        return first < size ? .inside(first..<min(last, size - 1) + 1) : .outside
    }

    /// A number that is larger than any file counts as the largest.
    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard !range.isEmpty, range.allSatisfy({ Octets.isDigit(bytes[$0]) }) else { return nil }
        return Int64(Octets.decimal(bytes, range) ?? UInt64(Int64.max - 1))
    }

    private static func overlap(_ ranges: [Range<Int64>]) -> Bool {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        return zip(sorted, sorted.dropFirst()).contains { $0.upperBound > $1.lowerBound }
    }
}
