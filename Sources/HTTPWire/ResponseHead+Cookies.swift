/// The effect of a response on a cookie.
package enum CookieChange: Equatable, Sendable {
    case none
    case set
    /// The response expires or empties the cookie, which is how applications end its session.
    case deleted
}

/// The cookies that a response sets.
extension ResponseHead {
    /// The effect on a cookie; if fields differ, as for several paths, one that sets it wins.
    ///
    /// - Parameter now: seconds of the Unix era.
    package func change(
        ofCookie name: String, in bytes: Span<UInt8>, at now: Int64
    ) -> CookieChange {
        var change = CookieChange.none
        for index in 0..<fields.count where fields[index].known == .setCookie {
            guard let found = SetCookieValue(bytes, fields[index].value.range),
                found.name.count == name.utf8.count,
                zip(found.name, name.utf8).allSatisfy({ bytes[$0] == $1 })
            else { continue }
            if !found.deletes(at: now) { return .set }
            change = .deleted
        }
        return change
    }
}

/// One `Set-Cookie` value, parsed as user agents do (RFC 6265 section 5.2).
struct SetCookieValue {
    let name: Range<Int>
    /// The value is empty, or a pair of quotes.
    private let isEmpty: Bool
    /// The last of several attributes of a name counts; unparsable ones are ignored.
    private var maxAge: Int64?
    /// Seconds of the Unix era.
    private var expires: Int64?

    /// Nil: it has no cookie name.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var end = Self.end(bytes, range)
        let pair = range.lowerBound..<end
        guard let equals = Self.equals(bytes, pair) else { return nil }
        name = Octets.trimmed(bytes, pair.lowerBound..<equals)
        let value = Octets.trimmed(bytes, equals &+ 1..<pair.upperBound)
        isEmpty = value.isEmpty || Octets.spells(bytes, value, "\"\"")
        while end < range.upperBound {
            let start = end &+ 1
            end = Self.end(bytes, start..<range.upperBound)
            note(bytes, start..<end)
        }
    }

    /// `Max-Age` takes precedence over `Expires`.
    func deletes(at now: Int64) -> Bool {
        if isEmpty { return true }
        if let maxAge { return maxAge <= 0 }
        if let expires { return expires <= now }
        return false
    }

    private mutating func note(_ bytes: Span<UInt8>, _ attribute: Range<Int>) {
        guard let equals = Self.equals(bytes, attribute) else { return }
        let name = Octets.trimmed(bytes, attribute.lowerBound..<equals)
        let value = Octets.trimmed(bytes, equals &+ 1..<attribute.upperBound)
        if Octets.spells(bytes, name, "max-age") {
            maxAge = Self.seconds(bytes, value) ?? maxAge
        } else if Octets.spells(bytes, name, "expires") {
            expires = CookieDate.seconds(bytes, value) ?? expires
        }
    }

    /// A number that is too large counts as the largest.
    private static func seconds(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Int64? {
        guard let first = value.first else { return nil }
        let isNegative = bytes[first] == UInt8(ascii: "-")
        let digits = isNegative ? first &+ 1..<value.upperBound : value
        guard !digits.isEmpty, digits.allSatisfy({ Octets.isDigit(bytes[$0]) }) else { return nil }
        let count = Octets.decimal(bytes, digits).map { Int64(clamping: $0) } ?? .max
        return isNegative ? -count : count
    }

    /// The end of the range's first part, before or after its semicolon.
    private static func end(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.lowerBound
        while end < range.upperBound, bytes[end] != UInt8(ascii: ";") { end &+= 1 }
        return end
    }

    private static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        range.first { bytes[$0] == UInt8(ascii: "=") }
    }
}
