/// Makes the output of a child safe for a log and a terminal.
enum PrintableText {
    /// Replaces control characters: an application cannot forge log lines or control terminals.
    ///
    /// A trailing carriage return is dropped and a tab stays; other controls become `\x1b`,
    /// invisible line breaks and direction changes `\u{202e}`, invalid UTF-8 U+FFFD.
    static func line(_ bytes: Span<UInt8>) -> String {
        var count = bytes.count
        if count > 0 && bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        let bytes = bytes.extracting(0..<count)
        let text = unsafe bytes.withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        if isPlain(bytes) { return text }
        var printable = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09:
                printable.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7f..<0xa0:
                let digits = String(scalar.value, radix: 16)
                printable += "\\x" + (digits.count == 1 ? "0" : "") + digits
            case 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069:
                printable += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                printable.unicodeScalars.append(scalar)
            }
        }
        return printable
    }

    /// An untrusted name in quotation marks.
    static func quoted(_ text: String) -> String { "\"\(line(Array(text.utf8).span))\"" }

    private static func isPlain(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<bytes.count where bytes[index] < 0x20 || bytes[index] >= 0x7f {
            return false
        }
        return true
    }
}
