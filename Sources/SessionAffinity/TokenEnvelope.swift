/// A session id of the application with Mooring's token behind it: `ID~TOKEN`.
///
/// The token has a fixed length, so that it is found from the end whatever the id holds, a `~`
/// included. An id is 1 to 1024 visible ASCII characters, as MCP's are; of other values nothing is
/// made.
package enum TokenEnvelope {
    /// What stands between the id and the token: visible, and part of no base64url.
    package static let mark = UInt8(ascii: "~")
    /// Characters that the token takes with its mark.
    package static let addedLength = 1 + Token.encodedLength
    /// Characters of the longest id that gets a token.
    package static let longestID = 1024

    /// Whether a value can be given a token.
    package static func takes(_ id: Span<UInt8>) -> Bool {
        guard (1...longestID).contains(id.count) else { return false }
        for index in 0..<id.count where !isVisible(id[index]) { return false }
        return true
    }

    /// The length of the id in front of a token; nil: the value holds nothing that Mooring could
    /// have made, signed or not.
    package static func idLength(of value: Span<UInt8>) -> Int? {
        let length = value.count - addedLength
        guard length > 0, value[length] == mark, takes(value.extracting(0..<length)),
            let bytes = Base64URL.decode(value.extracting((length + 1)...)),
            bytes[0] == Token.version
        else { return nil }
        return length
    }

    private static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }
}
