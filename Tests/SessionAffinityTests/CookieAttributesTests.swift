internal import SessionAffinity
internal import Testing

@Suite struct CookieAttributesTests {
    func field(_ attributes: CookieAttributes, secure: Bool = false) -> String {
        let parts = attributes.setCookieField(secureConnection: secure)
        return String(decoding: parts.prefix, as: UTF8.self) + "T"
            + String(decoding: parts.suffix, as: UTF8.self)
    }

    @Test func `a path of its own is set and forbids the __Host- prefix`() {
        var attributes = CookieAttributes(name: "mooring")
        attributes.path = "/admin"
        #expect(attributes.effectiveName(secureConnection: true) == "mooring")
        let suffix = attributes.setCookieField(secureConnection: true).suffix
        #expect(String(decoding: suffix, as: UTF8.self).hasPrefix("; Path=/admin; Secure"))
    }

    @Test func `the defaults make a session cookie of the host`() {
        #expect(
            field(CookieAttributes(name: "mooring"))
                == "Set-Cookie: mooring=T; Path=/; HttpOnly; SameSite=Lax\r\n")
    }

    @Test func `on a secure connection the cookie is bound to host and scheme`() {
        #expect(
            field(CookieAttributes(name: "mooring"), secure: true)
                == "Set-Cookie: __Host-mooring=T; Path=/; Secure; HttpOnly; SameSite=Lax\r\n")
    }

    @Test func `a domain takes the host prefix away`() {
        var attributes = CookieAttributes(name: "mooring")
        attributes.domain = "example.org"
        #expect(
            field(attributes, secure: true)
                == "Set-Cookie: mooring=T; Path=/; Domain=example.org; Secure; HttpOnly; "
                + "SameSite=Lax\r\n")
    }

    @Test func `secure always holds on clear text and never on TLS too`() {
        var attributes = CookieAttributes(name: "m")
        attributes.secure = .always
        #expect(field(attributes) == "Set-Cookie: m=T; Path=/; Secure; HttpOnly; SameSite=Lax\r\n")
        attributes.secure = .never
        #expect(
            field(attributes, secure: true)
                == "Set-Cookie: m=T; Path=/; HttpOnly; SameSite=Lax\r\n")
    }

    @Test func `scripts may read it, and embedding sites are partitioned`() {
        var attributes = CookieAttributes(name: "m")
        attributes.httpOnly = false
        attributes.secure = .always
        attributes.sameSite = .none
        attributes.partitioned = true
        #expect(
            field(attributes)
                == "Set-Cookie: m=T; Path=/; Secure; SameSite=None; Partitioned\r\n")
        attributes.sameSite = .strict
        #expect(field(attributes).contains("; SameSite=Strict;"))
    }

    @Test func `a cookie name is a token`() {
        for name in ["mooring", "a", "x-y_z.1", "!#$%&'*+-.^_`|~"] {
            #expect(CookieAttributes.isValidName(name), "\(name)")
        }
        let wrong = ["", "a b", "a=b", "a;b", "ä", "a\"", "a,b", "(a)", "\r\n", "a\0"]
        for name in wrong + [String(repeating: "a", count: 65)] {
            #expect(!CookieAttributes.isValidName(name), "\(name)")
        }
    }
}
