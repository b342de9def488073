/// What a response does to a cookie.
package enum CookieChange: Equatable, Sendable {
    case none
    case set
    /// The user agent is told to drop it, or it is emptied, which is how applications say that its session
    /// has ended.
    case deleted
}

/// The cookies that a response sets.
extension ResponseHead {
    /// What becomes of a cookie; where fields differ, as for several paths, one that sets it counts.
    ///
    /// - Parameter now: Seconds of the Unix era.
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

/// One `Set-Cookie` value, as user agents read it (RFC 6265 section 5.2).
struct SetCookieValue {
    let name: Range<Int>
    /// Its value is nothing, or a pair of quotes.
    private let isEmpty: Bool
    /// Of several attributes of a name the last counts; what cannot be read is ignored.
    private var maxAge: Int64?
    /// Seconds of the Unix era.
    private var expires: Int64?

    /// Nil: it names no cookie.
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

    /// `Max-Age` counts for more than `Expires`.
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

    /// A number that is too large is the largest.
    private static func seconds(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Int64? {
        guard let first = value.first else { return nil }
        let isNegative = bytes[first] == UInt8(ascii: "-")
        let digits = isNegative ? first &+ 1..<value.upperBound : value
        guard !digits.isEmpty, digits.allSatisfy({ Octets.isDigit(bytes[$0]) }) else { return nil }
        let count = Octets.decimal(bytes, digits).map { Int64(clamping: $0) } ?? .max
        return isNegative ? -count : count
    }

    /// Where the part ends that begins the range: at a semicolon, or with it.
    private static func end(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.lowerBound
        while end < range.upperBound, bytes[end] != UInt8(ascii: ";") { end &+= 1 }
        return end
    }

    private static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        range.first { bytes[$0] == UInt8(ascii: "=") }
    }
}
