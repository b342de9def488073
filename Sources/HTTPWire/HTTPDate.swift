/// Dates of fields (RFC 9110 section 5.6.7).
package enum HTTPDate {
    private static let secondsPerDay: Int64 = 86_400

    /// Writes an IMF-fixdate.
    ///
    /// - Parameter seconds: of the Unix era, in the years 1970 to 9999.
    static func write(_ seconds: Int64, into sink: inout ByteSink) {
        let days = Int(seconds / secondsPerDay)
        let time = Int(seconds % secondsPerDay)
        let (year, month, day) = civil(days)
        append("ThuFriSatSunMonTueWed", at: days % 7, into: &sink)
        sink.append(", ")
        append(day, digits: 2, into: &sink)
        sink.append(" ")
        append("JanFebMarAprMayJunJulAugSepOctNovDec", at: month - 1, into: &sink)
        sink.append(" ")
        append(year, digits: 4, into: &sink)
        sink.append(" ")
        append(time / 3600, digits: 2, into: &sink)
        sink.append(":")
        append(time / 60 % 60, digits: 2, into: &sink)
        sink.append(":")
        append(time % 60, digits: 2, into: &sink)
        sink.append(" GMT")
    }

    private static func append(_ words: StaticString, at index: Int, into sink: inout ByteSink) {
        for offset in 0..<3 { sink.append(words.octet(3 * index + offset)) }
    }

    private static func append(_ value: Int, digits: Int, into sink: inout ByteSink) {
        var unit = digits == 4 ? 1000 : 10
        while unit > 0 {
            sink.append(UInt8(ascii: "0") + UInt8(value / unit % 10))
            unit /= 10
        }
    }

    /// The date of a day counted from 1970-01-01; after Hinnant, "chrono-compatible low-level date
    /// algorithms".
    package static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day)
    }
}
