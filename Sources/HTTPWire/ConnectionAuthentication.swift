/// Schemes that authenticate a connection instead of a request: NTLM, and Negotiate (RFC 4559),
/// which often is NTLM.
///
/// The server attributes every later request on such a connection to the authenticated user.
enum ConnectionAuthentication {
    private static let schemes: [StaticString] = ["ntlm", "negotiate"]

    /// Whether a list of challenges contains one.
    ///
    /// Searched as a word anywhere, so that no quoting hides one: treating a connection as
    /// authenticated unnecessarily does no harm.
    static func isAmong(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var start = value.lowerBound
        while start < value.upperBound {
            let end = endOfWord(bytes, start..<value.upperBound)
            if isOne(bytes, start..<end) { return true }
            start = max(end, start &+ 1)
        }
        return false
    }

    /// Whether credentials use one of them, by their first word.
    static func isSchemeOf(_ bytes: Span<UInt8>, _ credentials: Range<Int>) -> Bool {
        let end = endOfWord(bytes, credentials)
        return isOne(bytes, credentials.lowerBound..<end)
    }

    private static func isOne(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
        schemes.contains { Octets.spells(bytes, word, $0) }
    }

    private static func endOfWord(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.lowerBound
        while end < range.upperBound, Octets.isToken(bytes[end]) { end &+= 1 }
        return end
    }
}

extension ResponseHead {
    /// Whether a 401 or 407 offers to authenticate the connection.
    ///
    /// - Parameter bytes: the parsed bytes.
    package func offersConnectionSignIn(_ bytes: Span<UInt8>) -> Bool {
        guard status == 401 || status == 407 else { return false }
        for index in 0..<fields.count {
            let name = fields[index].name.range
            guard
                Octets.spells(bytes, name, "www-authenticate")
                    || Octets.spells(bytes, name, "proxy-authenticate")
            else { continue }
            if ConnectionAuthentication.isAmong(bytes, fields[index].value.range) { return true }
        }
        return false
    }
}
