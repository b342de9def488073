/// The attributes of the session cookie, for `Set-Cookie` (RFC 6265bis).
package struct CookieAttributes: Equatable, Sendable {
    /// The `SameSite` attribute (RFC 6265bis section 4.1.2.7).
    package enum SameSite: String, Equatable, Sendable, CaseIterable {
        case lax
        case strict
        case none
    }

    /// When `Secure` is added.
    package enum Secure: String, Equatable, Sendable, CaseIterable {
        /// On connections that are secure themselves.
        case auto
        case always
        case never
    }

    /// As configured, without `__Host-`; a valid token (`isValidName`).
    package var name: String
    package var sameSite = SameSite.lax
    package var secure = Secure.auto
    package var httpOnly = true
    /// Partitioned by the top-level site that embeds this one (CHIPS).
    package var partitioned = false
    /// Empty: the cookie is sent to this host only.
    package var domain = ""

    /// The path on the host to which the cookie is sent; absolute, without `;` and control
    /// characters.
    package var path = "/"

    package init(name: String) { self.name = name }

    /// The name on the wire: with `__Host-` where user agents honour it.
    ///
    /// The prefix requires Secure, Path=/ and no Domain; then neither another host of the domain
    /// nor an attacker on clear text can plant a cookie with the name.
    package func effectiveName(secureConnection: Bool) -> String {
        let isHostOnly = secureConnection && secure != .never && domain.isEmpty && path == "/"
        return isHostOnly ? "__Host-\(name)" : name
    }

    /// The bytes around a cookie value: `Set-Cookie: NAME=`, and the attributes with the CRLF.
    ///
    /// A session cookie without Max-Age: the user agent forgets it with its own session, and the
    /// token's age limits it otherwise.
    package func setCookieField(secureConnection: Bool) -> (prefix: [UInt8], suffix: [UInt8]) {
        var suffix = "; Path=\(path)"
        if !domain.isEmpty { suffix += "; Domain=\(domain)" }
        if isSecure(secureConnection) { suffix += "; Secure" }
        if httpOnly { suffix += "; HttpOnly" }
        suffix += "; SameSite=\(sameSiteWord)"
        if partitioned { suffix += "; Partitioned" }
        let name = effectiveName(secureConnection: secureConnection)
        return (Array("Set-Cookie: \(name)=".utf8), Array("\(suffix)\r\n".utf8))
    }

    /// Whether a cookie may have this name: a token of 1 to 64 characters (RFC 9110 section 5.6.2).
    package static func isValidName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(isTokenByte)
    }

    /// Whether a byte may be part of a token (RFC 9110 section 5.6.2).
    package static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private func isSecure(_ secureConnection: Bool) -> Bool {
        switch secure {
        case .auto: secureConnection
        case .always: true
        case .never: false
        }
    }

    private var sameSiteWord: String {
        switch sameSite {
        case .lax: "Lax"
        case .strict: "Strict"
        case .none: "None"
        }
    }
}
