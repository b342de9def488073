/// Signs and verifies the cookie values of one cookie name and one group.
///
/// One per loop thread, cookie name and group; not `Sendable`, since every use changes its MAC
/// contexts. After its creation it allocates nothing.
package final class TokenCodec {
    /// How far in the future a token may be dated, in seconds: clocks of machines differ.
    package static let clockSkew: UInt32 = 300
    /// How many other groups are tried, to distinguish a token of theirs from a forged one.
    package static let maximumOtherGroups = 16

    private struct Signer {
        var id: UInt8
        var authenticator: MessageAuthenticator
    }

    /// Newest first: the first signs, all verify.
    private let signers: [Signer]
    private let prefix: [UInt8]
    private let otherPrefixes: [[UInt8]]

    /// Creates one MAC context per key.
    ///
    /// - Parameters:
    ///   - cookieName: the configured name, without `__Host-`.
    ///   - group: the group of the sessions.
    ///   - otherGroups: the names of the others; only the first 16 count.
    package init(keyring: Keyring, cookieName: String, group: String, otherGroups: [String]) {
        precondition(!keyring.keys.isEmpty, "a keyring has at least one key")
        signers = keyring.keys.map { key in
            Signer(id: key.id, authenticator: MessageAuthenticator(key: key.secret))
        }
        prefix = Self.prefix(cookieName: cookieName, group: group)
        otherPrefixes = otherGroups.prefix(Self.maximumOtherGroups).map { other in
            Self.prefix(cookieName: cookieName, group: other)
        }
    }

    /// Writes exactly `Token.encodedLength` bytes, signed with the newest key, to the start.
    package func encode(_ token: Token, into bytes: inout MutableSpan<UInt8>) {
        precondition(bytes.count >= Token.encodedLength, "a cookie value has 56 bytes")
        let signer = signers[0]
        var raw = token.bytes(key: signer.id)
        let tag = signer.authenticator.tag(prefix: prefix, raw)
        for index in 0..<MessageAuthenticator.tagLength {
            raw[Token.signedLength + index] = tag[index]
        }
        Base64URL.encode(raw, into: &bytes)
    }

    /// Verifies a value as the client sent it (without quotes); any bytes may be passed.
    ///
    /// - Parameters:
    ///   - now: wall clock, in seconds of the Unix era.
    ///   - maxAge: the validity of a token in seconds.
    package func verify(_ value: Span<UInt8>, now: UInt32, maxAge: UInt32) -> Verification {
        guard let bytes = Base64URL.decode(value), bytes[0] == Token.version else {
            return Verification(verdict: .malformed)
        }
        guard let signer = signers.first(where: { $0.id == bytes[1] }) else {
            return Verification(verdict: .unknownKey)
        }
        guard Self.isSigned(bytes, by: signer, prefix) else {
            let isOthers = otherPrefixes.contains { Self.isSigned(bytes, by: signer, $0) }
            return Verification(verdict: isOthers ? .otherGroup : .forged)
        }
        let token = Token(bytes)
        let isOld = UInt64(now) > UInt64(token.issued) + UInt64(maxAge)
        let isAhead = UInt64(token.issued) > UInt64(now) + UInt64(Self.clockSkew)
        return Verification(verdict: isOld || isAhead ? .expired : .valid, token: token)
    }

    private static func isSigned(
        _ bytes: TokenBytes, by signer: Signer, _ prefix: [UInt8]
    ) -> Bool {
        let tag = signer.authenticator.tag(prefix: prefix, bytes)
        return MessageAuthenticator.matches(tag, bytes)
    }

    /// The bytes signed before the token: the zero bytes separate name and group unambiguously.
    private static func prefix(cookieName: String, group: String) -> [UInt8] {
        precondition(!cookieName.utf8.contains(0) && !group.utf8.contains(0))
        return Array("mooring/1\0\(cookieName)\0\(group)\0".utf8)
    }
}
