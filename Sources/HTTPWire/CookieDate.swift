/// Dates of `Expires`, parsed as user agents do: in almost any order and spelling (RFC 6265 section
/// 5.1.1).
enum CookieDate {
    private struct Parts {
        var time: (hour: Int, minute: Int, second: Int)?
        var day: Int?
        var month: Int?
        var year: Int?
    }

    /// Seconds of the Unix era; nil: not a date.
    static func seconds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var parts = Parts()
        var index = range.lowerBound
        while index < range.upperBound {
            if isDelimiter(bytes[index]) {
                index &+= 1
                continue
            }
            let start = index
            while index < range.upperBound, !isDelimiter(bytes[index]) { index &+= 1 }
            note(bytes, start..<index, &parts)
        }
        guard let time = parts.time, let day = parts.day, let month = parts.month,
            var year = parts.year
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        guard (1...31).contains(day), year >= 1601, time.hour <= 23, time.minute <= 59,
            time.second <= 59
        else { return nil }
        let days = Int64(daysFromCivil(year, month, day))
        return days * 86_400 + Int64(time.hour * 3600 + time.minute * 60 + time.second)
    }

    /// Each token is the first of time, day, month and year that it can be and that is still
    /// unknown.
    private static func note(_ bytes: Span<UInt8>, _ token: Range<Int>, _ parts: inout Parts) {
        if parts.time == nil, let time = time(bytes, token) {
            parts.time = time
        } else if parts.day == nil, let day = number(bytes, token, digits: 1...2) {
            parts.day = day
        } else if parts.month == nil, let month = month(bytes, token) {
            parts.month = month
        } else if parts.year == nil, let year = number(bytes, token, digits: 2...4) {
            parts.year = year
        }
    }

    /// Digits at the front, and no digit behind them.
    private static func number(
        _ bytes: Span<UInt8>, _ token: Range<Int>, digits: ClosedRange<Int>
    ) -> Int? {
        var count = 0
        var value = 0
        for index in token {
            guard Octets.isDigit(bytes[index]) else { break }
            count &+= 1
            if count > digits.upperBound { return nil }
            value = value * 10 + Int(bytes[index] &- 0x30)
        }
        return digits.contains(count) ? value : nil
    }

    private static func time(
        _ bytes: Span<UInt8>, _ token: Range<Int>
    ) -> (hour: Int, minute: Int, second: Int)? {
        let colons = token.filter { bytes[$0] == UInt8(ascii: ":") }
        guard colons.count >= 2,
            let hour = Octets.decimal(bytes, token.lowerBound..<colons[0]),
            let minute = Octets.decimal(bytes, colons[0] &+ 1..<colons[1]),
            colons[0] &- token.lowerBound <= 2, colons[1] &- colons[0] <= 3,
            let second = number(bytes, colons[1] &+ 1..<token.upperBound, digits: 1...2)
        else { return nil }
        return (Int(hour), Int(minute), second)
    }

    private static func month(_ bytes: Span<UInt8>, _ token: Range<Int>) -> Int? {
        guard token.count >= 3 else { return nil }
        let names: [StaticString] = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        let front = token.lowerBound..<token.lowerBound &+ 3
        return names.firstIndex { Octets.spells(bytes, front, $0) }.map { $0 + 1 }
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x20...0x2f, 0x3b...0x40, 0x5b...0x60, 0x7b...0x7e: true
        default: false
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar.
    private static func daysFromCivil(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
