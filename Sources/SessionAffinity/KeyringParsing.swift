/// A problem of a keyring file; never contains the file's content.
package struct KeyringError: Error, Equatable, CustomStringConvertible {
    /// Counted from 1; nil for a problem of the whole file.
    package var line: Int?
    package var reason: String

    package var description: String {
        if let line { "line \(line): \(reason)" } else { reason }
    }
}

extension Keyring {
    /// Parses a keyring file: one `ID HEX` per line, with `#` comments and blank lines.
    ///
    /// - Throws: the first problem, with its line.
    package static func parse(_ text: String) throws(KeyringError) -> Keyring {
        guard text.utf8.count <= maximumTextLength else {
            throw KeyringError(reason: "longer than 64 KiB; this is no keyring file")
        }
        var keys: [Key] = []
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == 9 || $0 == 13 }
            guard let first = words.first, first.first != UInt8(ascii: "#") else { continue }
            let key: Key
            do throws(KeyringError) {
                key = try parseKey(words)
            } catch {
                throw KeyringError(line: index + 1, reason: error.reason)
            }
            guard !keys.contains(where: { $0.id == key.id }) else {
                throw KeyringError(
                    line: index + 1, reason: "key id \(key.id) is there twice; each has its own")
            }
            guard keys.count < maximumKeys else {
                throw KeyringError(
                    line: index + 1, reason: "more than 16 keys; take the oldest ones out")
            }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw KeyringError(
                reason: "no key; remove the file to have a new one made (sessions start anew)")
        }
        return Keyring(keys: keys)
    }

    private static func parseKey(
        _ words: [String.UTF8View.SubSequence]
    ) throws(KeyringError) -> Key {
        guard words.count == 2 else {
            throw KeyringError(reason: "not a key id, a space and 64 hexadecimal digits")
        }
        guard let id = parseID(words[0]) else {
            throw KeyringError(reason: "the key id is not a number from 0 to 255")
        }
        guard words[1].count == 2 * keyLength else {
            throw KeyringError(
                reason: "the key has \(words[1].count) characters; it needs 64 hexadecimal digits")
        }
        guard let secret = Hexadecimal.bytes(of: words[1]) else {
            throw KeyringError(reason: "the key holds what is no hexadecimal digit")
        }
        return Key(id: id, secret: secret)
    }

    /// Plain decimal digits; the standard library would accept a sign too.
    private static func parseID(_ word: String.UTF8View.SubSequence) -> UInt8? {
        guard (1...3).contains(word.count) else { return nil }
        var value = 0
        for byte in word {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return UInt8(exactly: value)
    }
}
