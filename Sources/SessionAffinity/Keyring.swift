/// The keys that sign session tokens, newest first: the first signs, all verify.
///
/// Printing it shows only its key ids.
package struct Keyring: Equatable, Sendable {
    /// The length of a key in bytes.
    package static let keyLength = 32
    /// The most keys; a rotation beyond that drops the oldest.
    package static let maximumKeys = 16
    /// The most characters of a keyring file.
    package static let maximumTextLength = 64 * 1024

    struct Key: Equatable, Sendable {
        var id: UInt8
        var secret: [UInt8]
    }

    /// 1 to 16 keys of 32 bytes, ids unique.
    let keys: [Key]

    /// A keyring with one key.
    ///
    /// - Parameter firstKey: 32 random bytes from the caller.
    package init(firstKey: [UInt8]) {
        precondition(firstKey.count == Self.keyLength, "a key has 32 bytes")
        keys = [Key(id: 1, secret: firstKey)]
    }

    init(keys: [Key]) { self.keys = keys }

    /// The keyring with a new key in front, under the next free id.
    ///
    /// Tokens of older keys stay valid until 16 newer keys exist.
    package func rotated(with key: [UInt8]) -> Keyring {
        precondition(key.count == Self.keyLength, "a key has 32 bytes")
        let kept = keys.prefix(Self.maximumKeys - 1)
        // The id of a dropped key is not reused at once: its tokens should be unknown rather than
        // forged.
        let taken = Set(keys.map(\.id))
        var id = keys[0].id &+ 1
        while taken.contains(id) { id &+= 1 }
        return Keyring(keys: [Key(id: id, secret: key)] + kept)
    }

    /// The text of the keyring's file; secret.
    package var text: String {
        let lines = keys.map { key in "\(key.id) \(Hexadecimal.text(of: key.secret))\n" }
        return "# Keys of session cookies: ID HEX, newest first. Keep this file secret.\n"
            + lines.joined()
    }
}

extension Keyring: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "Keyring(ids: \(keys.map { String($0.id) }.joined(separator: ", ")))"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Keyring.Key: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "Key(id: \(id))" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
