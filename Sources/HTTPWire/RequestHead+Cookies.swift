/// The cookies that a request carries.
extension RequestHead {
    /// Whether there is a cookie of the given name with a non-empty value.
    package func carries(cookie name: String, in bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count where fields[index].known == .cookie {
            var pairs = CookiePairs(fields[index].value.range)
            while let pair = pairs.next(in: bytes) {
                let equals = Octets.first(UInt8(ascii: "="), in: bytes, pair)
                guard equals < pair.upperBound else { continue }
                let own = Octets.trimmed(bytes, pair.lowerBound..<equals)
                guard own.count == name.utf8.count,
                    zip(own, name.utf8).allSatisfy({ bytes[$0] == $1 })
                else { continue }
                let value = Octets.trimmed(bytes, equals &+ 1..<pair.upperBound)
                if !value.isEmpty, !Octets.spells(bytes, value, "\"\"") { return true }
            }
        }
        return false
    }
}
