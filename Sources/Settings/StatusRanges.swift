/// Statuses of responses, as ranges: `200-399` or `200,301-308`.
package struct StatusRanges: Equatable, Sendable {
    package private(set) var ranges: [ClosedRange<Int>]

    package init(_ ranges: ClosedRange<Int>...) { self.ranges = ranges }

    /// Parses numbers and ranges separated by commas; nil: something else is there.
    package init?(parsing text: String) {
        ranges = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { end in
                let words = end.split(separator: " ")
                guard words.count == 1, let digits = words.first else { return Int?.none }
                let isNumber = digits.utf8.count == 3 && digits.utf8.allSatisfy { 48...57 ~= $0 }
                return isNumber ? Int(digits) : nil
            }
            guard (1...2).contains(ends.count), let first = ends[0],
                let last = ends[ends.count - 1],
                first >= 200, last <= 599, first <= last, ranges.count < 100
            else { return nil }
            ranges.append(first...last)
        }
    }

    /// Whether one of the ranges has the status.
    package func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// As it is parsed.
    package var text: String {
        ranges.map { range in
            range.count == 1
                ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
        }.joined(separator: ",")
    }
}
