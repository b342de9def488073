internal import SessionAffinity
internal import TestSupport
internal import Testing

@Suite struct TokenCodecTests {
    static let now: UInt32 = 1_700_000_000
    static let day: UInt32 = 24 * 3600
    static let token = Token(
        issued: now, sessionHigh: 0x0102_0304_0506_0708, sessionLow: 0x090A_0B0C,
        process: 0xFFFE_FDFC_FBFA_F9F8)
    /// Made by another implementation of the same format, under the key 00 01 02 … 1f.
    static let vector = "AQFlU_EAAQIDBAUGBwgJCgsM__79_Pv6-fgQ7HYZ2AUHab8vOebftOD5"
    /// The same with version 2, rightly signed.
    static let versionTwo = "AgFlU_EAAQIDBAUGBwgJCgsM__79_Pv6-fhFqPObNfLBQ4mWkYhj8tMd"

    static let key = (0..<32).map { UInt8($0) }

    func codec(
        keyring: Keyring = Keyring(firstKey: key), cookie: String = "mooring",
        group: String = "django", others: [String] = []
    ) -> TokenCodec {
        TokenCodec(keyring: keyring, cookieName: cookie, group: group, otherGroups: others)
    }

    func encode(_ token: Token = token, by codec: TokenCodec) -> [UInt8] {
        var value = InlineArray<56, UInt8>(repeating: 0)
        var bytes = value.mutableSpan
        codec.encode(token, into: &bytes)
        return value.indices.map { value[$0] }
    }

    func verify(
        _ value: [UInt8], by codec: TokenCodec, now: UInt32 = now, maxAge: UInt32 = day
    ) -> Verification { codec.verify(value.span, now: now, maxAge: maxAge) }

    @Test func `a token made elsewhere by the documented format is valid`() {
        let found = verify(Array(Self.vector.utf8), by: codec())
        #expect(found == Verification(verdict: .valid, token: Self.token))
    }

    @Test func `what is encoded is the documented format`() {
        #expect(String(decoding: encode(by: codec()), as: UTF8.self) == Self.vector)
    }

    @Test func `extreme values come back as they were`() {
        let codec = codec()
        for token in [
            Token(issued: 0, sessionHigh: 0, sessionLow: 0, process: 0),
            Token(issued: .max, sessionHigh: .max, sessionLow: .max, process: .max),
        ] {
            let found = verify(encode(token, by: codec), by: codec, now: token.issued)
            #expect(found == Verification(verdict: .valid, token: token))
        }
    }

    @Test func `a token under the first key stays valid after a rotation`() {
        let old = codec()
        let rotated = Keyring(firstKey: Self.key).rotated(with: [UInt8](repeating: 9, count: 32))
        #expect(verify(encode(by: old), by: codec(keyring: rotated)).verdict == .valid)
    }

    @Test func `after a rotation the new key signs`() {
        let first = Keyring(firstKey: Self.key)
        let rotated = first.rotated(with: [UInt8](repeating: 9, count: 32))
        let value = encode(by: codec(keyring: rotated))
        #expect(verify(value, by: codec(keyring: rotated)).verdict == .valid)
        #expect(verify(value, by: codec(keyring: first)).verdict == .unknownKey)
    }

    @Test func `a token under another key of the same id is forged`() {
        let other = Keyring(firstKey: [UInt8](repeating: 1, count: 32))
        #expect(verify(encode(by: codec(keyring: other)), by: codec()).verdict == .forged)
    }

    @Test func `every flipped bit is noticed and no token is given`() {
        let codec = codec()
        let value = encode(by: codec)
        for index in value.indices {
            for bit in 0..<8 {
                var changed = value
                changed[index] ^= 1 << bit
                let found = verify(changed, by: codec)
                let isRefused = [.forged, .malformed, .unknownKey].contains(found.verdict)
                #expect(isRefused && found.token == nil, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func `every length but 56 is malformed`() {
        let value = encode(by: codec())
        for length in 0..<56 {
            #expect(verify(Array(value.prefix(length)), by: codec()).verdict == .malformed)
        }
        for extra in [
            [UInt8(ascii: "A")], [UInt8(ascii: "=")], [UInt8](repeating: 65, count: 8192),
        ] {
            #expect(verify(value + extra, by: codec()).verdict == .malformed)
        }
    }

    @Test func `every byte outside the alphabet is malformed`() {
        let letters = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let value = encode(by: codec())
        for byte in UInt8.min...UInt8.max where !letters.contains(byte) {
            var changed = value
            changed[30] = byte
            #expect(verify(changed, by: codec()).verdict == .malformed, "byte \(byte)")
        }
    }

    @Test func `another version is malformed`() {
        #expect(verify(Array(Self.versionTwo.utf8), by: codec()).verdict == .malformed)
    }

    @Test func `a token is good up to its maximum age and not a second longer`() {
        let codec = codec()
        let value = encode(by: codec)
        let last = Self.now + Self.day
        #expect(verify(value, by: codec, now: last).verdict == .valid)
        let after = verify(value, by: codec, now: last + 1)
        #expect(after == Verification(verdict: .expired, token: Self.token))
    }

    @Test func `a token from the future is tolerated for five minutes`() {
        let codec = codec()
        let value = encode(by: codec)
        #expect(verify(value, by: codec, now: Self.now - 300).verdict == .valid)
        #expect(verify(value, by: codec, now: Self.now - 301).verdict == .expired)
    }

    @Test func `the greatest ages and times do not overflow`() {
        let codec = codec()
        let latest = Token(issued: .max, sessionHigh: 1, sessionLow: 1, process: 1)
        let value = encode(latest, by: codec)
        #expect(verify(value, by: codec, now: .max, maxAge: .max).verdict == .valid)
        #expect(verify(value, by: codec, now: 0, maxAge: .max).verdict == .expired)
    }

    @Test func `a token of another group is distinguished from a forged one`() {
        let value = encode(by: codec(group: "django-admin"))
        let knowing = codec(others: ["other", "django-admin"])
        #expect(verify(value, by: knowing) == Verification(verdict: .otherGroup))
        #expect(verify(value, by: codec()).verdict == .forged)
    }

    @Test func `at most sixteen other groups are tried`() {
        let value = encode(by: codec(group: "g16"))
        let many = codec(others: (0...16).map { "g\($0)" })
        #expect(verify(value, by: many).verdict == .forged)
    }

    @Test func `a token of another cookie name is forged`() {
        let value = encode(by: codec(cookie: "other"))
        #expect(verify(value, by: codec()).verdict == .forged)
    }

    @Test func `cookie name and group do not run together`() {
        let value = encode(by: codec(cookie: "mooringd", group: "jango"))
        #expect(verify(value, by: codec()).verdict == .forged)
    }

    @Test func `random bytes are never valid`() {
        var generator = SeededGenerator(seed: 42)
        let codec = codec()
        for _ in 0..<2000 {
            let length = Int.random(in: 0...64, using: &generator)
            let value = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(verify(value, by: codec).token == nil)
        }
    }

    @Test func `every verdict has its own word`() {
        let words = Verdict.allCases.map { "\($0.word)" }
        #expect(
            words == [
                "none", "valid", "forged", "expired", "unknown_key", "other_group", "gone",
                "malformed",
            ])
    }
}
