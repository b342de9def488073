internal import Settings

/// A listener's address as one word of a `TakeoverMessage`.
extension ListenerAddress {
    /// `unix:PATH`, `tcp:PORT:HOST` or `fd:NAME`, percent-encoded so that a path may contain
    /// spaces.
    var word: String {
        let text: String
        switch self {
        case .address(.unix(let path)): text = "unix:\(path)"
        case .address(.tcp(let host, let port)): text = "tcp:\(port):\(host)"
        case .inherited(let name): text = "fd:\(name)"
        }
        return text.utf8.reduce(into: "") { result, byte in
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
                result.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                result += byte < 16 ? "%0" : "%"
                result += String(byte, radix: 16)
            }
        }
    }

    /// Parses a word; nil: invalid.
    init?(word: some StringProtocol) {
        guard let text = Self.decoded(word), let colon = text.firstIndex(of: ":") else {
            return nil
        }
        let value = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "unix": self = .address(.unix(path: value))
        case "fd": self = .inherited(name: value)
        case "tcp":
            guard let colon = value.firstIndex(of: ":"), let port = UInt16(value[..<colon]) else {
                return nil
            }
            self = .address(.tcp(host: String(value[value.index(after: colon)...]), port: port))
        default: return nil
        }
    }

    /// Decodes percent-encoding; nil: invalid, or not UTF-8.
    private static func decoded(_ word: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let first = rest.popFirst() {
            guard first == UInt8(ascii: "%") else {
                bytes.append(first)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit),
                let low = rest.popFirst().flatMap(digit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
