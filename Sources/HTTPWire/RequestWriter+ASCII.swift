/// Repeats in ASCII what some WSGI servers lose.
extension RequestHead {
    /// Writes in ASCII what the process's server may lose of the lines above.
    ///
    /// granian provides only the decoded path, and empties fields with octets above ASCII.
    /// Mooring's WSGI host script restores both from these fields: `Mooring-Target: /a%2Fb` is the
    /// target, if the decoded path is ambiguous, and each `Mooring-Octets: X-Name=Jos%C3%A9` is a
    /// field. Most requests have neither. Such fields from a client are not forwarded.
    func writeInASCII(
        _ bytes: Span<UInt8>, _ target: Span<UInt8>, _ strippingPrefix: Int,
        _ own: borrowing OwnCookies, _ kept: Span<UInt8>, into sink: inout ByteSink
    ) {
        if Self.isAmbiguous(target) {
            sink.append("Mooring-Target: ")
            writePath(target, strippingPrefix, escaping: true, into: &sink)
            sink.append("\r\n")
        }
        var hasCookies = false
        for index in 0..<fields.count where !fields[index].removed {
            let value = fields[index].value.range
            guard Self.isBeyondASCII(bytes, value) else { continue }
            if fields[index].known == .cookie {
                hasCookies = true
                continue
            }
            sink.append("Mooring-Octets: ")
            sink.append(bytes.extracting(fields[index].name.range))
            sink.append("=")
            writeEncoded(bytes, value, into: &sink)
            sink.append("\r\n")
        }
        if hasCookies { writeJoinedCookies(bytes, own, kept, inASCII: true, into: &sink) }
    }

    /// Whether a target cannot be reconstructed from its decoded path.
    private static func isAmbiguous(_ target: Span<UInt8>) -> Bool {
        for position in 0..<target.count {
            switch target[position] {
            case UInt8(ascii: "?"): return false
            case UInt8(ascii: "%"), UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "\\"),
                UInt8(ascii: "]"), UInt8(ascii: "^"), UInt8(ascii: "`"),
                UInt8(ascii: "{")...UInt8(ascii: "}"), 0x80...:
                return true
            default: continue
            }
        }
        return false
    }

    private static func isBeyondASCII(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var all: UInt8 = 0
        for position in range { all |= bytes[position] }
        return all >= 0x80
    }

    /// Percent-encodes all but letters, digits and what is common in values; encodes the comma,
    /// since servers join fields of one name with it.
    func writeEncoded(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into sink: inout ByteSink
    ) {
        for position in range {
            let octet = bytes[position]
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "~"),
                UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "="):
                sink.append(octet)
            default:
                sink.append("%")
                sink.append(hex: UInt64(octet), digits: 2)
            }
        }
    }
}
