extension String {
    /// The text with its percent-encoded octets decoded (RFC 3986 section 2.1); nil: it is malformed,
    /// or not UTF-8.
    var percentDecoded: String? {
        var octets: [UInt8] = []
        var rest = utf8[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            // A sign is no digit, though the conversion takes one.
            guard rest.count >= 2, rest.first != UInt8(ascii: "+"),
                let value = UInt8(Substring(rest.prefix(2)), radix: 16)
            else {
                return nil
            }
            octets.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: octets, as: UTF8.self)
    }
}
