package import Backends

/// Durations as written in the configuration: `"500ms"`, `"30s"`, `"15m"`, `"2h"`.
package enum DurationText {
    /// The longest duration that any key accepts: a leap year.
    package static let longest = Interval.longest

    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ]

    /// Parses a number with a unit, or `0`; nil for anything else.
    ///
    /// A number too large for an interval returns the longest interval, which is outside every
    /// range.
    package static func parse(_ text: String) -> Interval? {
        if text == "0" { return .zero }
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let name = text.utf8.dropFirst(digits.count)
        guard !digits.isEmpty,
            let unit = units.first(where: { $0.name.utf8.elementsEqual(name) })
        else { return nil }
        guard let count = Int64(String(decoding: digits, as: UTF8.self)) else {
            return Interval(nanoseconds: .max)
        }
        let (span, overflows) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        return Interval(nanoseconds: overflows ? .max : span)
    }

    /// A range, for the reference page.
    static func span(_ range: ClosedRange<Interval>) -> String {
        "\(text(of: range.lowerBound)) to \(text(of: range.upperBound))"
    }

    /// The duration in the largest unit that represents it exactly; whole milliseconds only.
    static func text(of span: Interval) -> String {
        guard span > .zero else { return "0" }
        for unit in units where span.nanoseconds.isMultiple(of: unit.nanoseconds) {
            return "\(span.nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return "\(max(1, span.nanoseconds / 1_000_000))ms"
    }
}
