/// Sizes as written in the configuration: `"64KiB"`, `"1MiB"`, `"2GiB"`, and `"0"`.
enum SizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    /// Parses a number with a unit, or `0`; nil for anything else.
    ///
    /// A number too large for an `Int` returns the largest `Int`, which is outside every range.
    static func parse(_ text: String) -> Int? {
        if text == "0" { return 0 }
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let name = text.utf8.dropFirst(digits.count)
        guard !digits.isEmpty,
            let unit = units.first(where: { $0.name.utf8.elementsEqual(name) })
        else { return nil }
        guard let count = Int(String(decoding: digits, as: UTF8.self)) else { return .max }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflows ? .max : bytes
    }

    /// A range, for the reference page.
    static func span(_ range: ClosedRange<Int>) -> String {
        "\(text(of: range.lowerBound)) to \(text(of: range.upperBound))"
    }

    /// The size in the largest unit that represents it exactly; whole KiB only.
    static func text(of bytes: Int) -> String {
        guard bytes > 0 else { return "0" }
        for unit in units where bytes.isMultiple(of: unit.bytes) {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(max(1, bytes / 1024))KiB"
    }
}
