/// Fields that a process's server cannot send unchanged.
extension ResponseHead {
    /// Writes the fields sent as `Mooring-Octets: Name=percent-encoded value`.
    ///
    /// granian encodes fields as UTF-8, which turns an octet above ASCII into two. Only fields
    /// without meaning to a proxy are accepted, and invalid ones are dropped.
    func writeOctets(_ bytes: Span<UInt8>, into sink: inout ByteSink) {
        for index in 0..<fields.count where fields[index].known == .mooringWord {
            let range = fields[index].value.range
            let equals = Octets.first(UInt8(ascii: "="), in: bytes, range)
            let name = range.lowerBound..<equals
            guard equals < range.upperBound, !name.isEmpty,
                name.allSatisfy({ Octets.isToken(bytes[$0]) }),
                FieldName.of(bytes, name, hasUnderscore: false) == .other
            else { continue }
            let value = equals &+ 1..<range.upperBound
            guard Self.decode(bytes, value, { Octets.isFieldValue($0) }) else { continue }
            sink.append(bytes.extracting(name))
            sink.append(": ")
            _ = Self.decode(bytes, value) { octet in
                sink.append(octet)
                return true
            }
            sink.append("\r\n")
        }
    }

    /// Appends each octet of a percent-encoded value; false: it is malformed, or was not accepted.
    private static func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ take: (UInt8) -> Bool
    ) -> Bool {
        var position = range.lowerBound
        while position < range.upperBound {
            var octet = bytes[position]
            position &+= 1
            if octet == UInt8(ascii: "%") {
                guard position &+ 2 <= range.upperBound else { return false }
                let high = Octets.hexValue(bytes[position])
                let low = Octets.hexValue(bytes[position &+ 1])
                guard high < 16, low < 16 else { return false }
                octet = high << 4 | low
                position &+= 2
            }
            guard take(octet) else { return false }
        }
        return true
    }
}
