/// Base64url without padding (RFC 4648 section 5) of whole tokens.
///
/// 42 bytes are exactly 56 characters, so no bits are left over and each token has one encoding.
enum Base64URL {
    /// Decodes; nil for a wrong length or any byte outside the alphabet.
    ///
    /// The input is not secret (the client sent it), so the time taken may depend on it.
    static func decode(_ text: Span<UInt8>) -> TokenBytes? {
        guard text.count == Token.encodedLength else { return nil }
        var bytes = TokenBytes(repeating: 0)
        var wrong: UInt8 = 0
        var target = 0
        for source in stride(from: 0, to: Token.encodedLength, by: 4) {
            var word: UInt32 = 0
            for index in source..<source + 4 {
                let digit = digit(of: text[index])
                wrong |= digit
                word = word << 6 | UInt32(digit & 63)
            }
            bytes[target] = UInt8(truncatingIfNeeded: word >> 16)
            bytes[target + 1] = UInt8(truncatingIfNeeded: word >> 8)
            bytes[target + 2] = UInt8(truncatingIfNeeded: word)
            target += 3
        }
        return wrong < 64 ? bytes : nil
    }

    /// Writes all 56 characters to the start of `text`, which must have room for them.
    static func encode(_ bytes: TokenBytes, into text: inout MutableSpan<UInt8>) {
        var target = 0
        for source in stride(from: 0, to: Token.length, by: 3) {
            let word =
                UInt32(bytes[source]) << 16 | UInt32(bytes[source + 1]) << 8
                | UInt32(bytes[source + 2])
            text[target] = character(of: word >> 18)
            text[target + 1] = character(of: word >> 12)
            text[target + 2] = character(of: word >> 6)
            text[target + 3] = character(of: word)
            target += 4
        }
    }

    /// 0 to 63, or 64 for a byte outside the alphabet.
    private static func digit(of character: UInt8) -> UInt8 {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: 64
        }
    }

    private static func character(of word: UInt32) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: word & 63)
        return switch digit {
        case 0..<26: UInt8(ascii: "A") + digit
        case 26..<52: UInt8(ascii: "a") + (digit - 26)
        case 52..<62: UInt8(ascii: "0") + (digit - 52)
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}
