/// Gives sessions their ids by what names them outside of Mooring: a user, or an id that the
/// application has issued.
///
/// A keyed hash, so that an id tells nobody the name, and equal names of other groups or carriers
/// have other ids. The key is the oldest of the ring: adding keys changes no id, and taking the
/// oldest out begins these sessions anew, as it does with those of its tokens.
///
/// One per loop thread, carrier and group; not `Sendable`, since every use changes its MAC context.
package final class SessionNamer {
    private let authenticator: MessageAuthenticator
    private let prefix: [UInt8]

    /// - Parameters:
    ///   - carrier: what the names are taken from.
    ///   - group: the group of the sessions.
    package init(keyring: Keyring, carrier: String, group: String) {
        precondition(!carrier.utf8.contains(0) && !group.utf8.contains(0))
        authenticator = MessageAuthenticator(key: keyring.keys[keyring.keys.count - 1].secret)
        prefix = Array("mooring/name/1\0\(carrier)\0\(group)\0".utf8)
    }

    /// The 12 bytes of a session's id; always the same for the same name.
    ///
    /// The last bit is set, which it is not in random ids (`random`).
    package func id(of name: Span<UInt8>) -> (high: UInt64, low: UInt32) {
        let tag = authenticator.tag(prefix: prefix, name)
        var high: UInt64 = 0
        for index in 0..<8 { high = high << 8 | UInt64(tag[index]) }
        var low: UInt32 = 0
        for index in 8..<12 { low = low << 8 | UInt32(tag[index]) }
        return (high, low | 1)
    }

    /// Whether the last four bytes are those of an id that a name was given.
    package static func isNamed(low: UInt32) -> Bool { low & 1 == 1 }

    /// The last four bytes of a random id.
    package static func random(low: UInt32) -> UInt32 { low & ~1 }
}
