internal import Reactor

/// Wall-clock times as text, for lines of output.
enum TimeText {
    /// `2026-11-22T10:00:00.123Z` (RFC 3339), independent of the machine's time zone.
    static func utc(wallNanoseconds: Int64 = Clock.wall()) -> String {
        let milliseconds = floor(wallNanoseconds, 1_000_000).quotient
        let (days, ofDay) = floor(milliseconds, 86_400_000)
        let (year, month, day) = date(days: days)
        let seconds = ofDay / 1000
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
            + "T\(time.joined(separator: ":")).\(padded(ofDay % 1000, 3))Z"
    }

    /// The date of a day since 1970-01-01 in the Gregorian calendar.
    ///
    /// Computed in eras of 400 years from March 1 of the year 0, so that leap days come last in
    /// their years.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, ofEra) = floor(days + 719_468, 146_097)
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let march = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * march + 2) / 5 + 1
        let month = march < 10 ? march + 3 : march - 9
        return (era * 400 + year + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floor(
        _ number: Int64, _ divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}
