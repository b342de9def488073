internal import SessionAffinity
internal import TestSupport
internal import Testing

/// The application's session id with a token behind it.
@Suite struct TokenEnvelopeTests {
    private static let token = Array(TokenCodecTests.vector.utf8)

    private static func enveloped(_ id: [UInt8]) -> [UInt8] { id + [TokenEnvelope.mark] + token }

    private func idLength(_ value: [UInt8]) -> Int? { TokenEnvelope.idLength(of: value.span) }

    private func idLength(_ value: String) -> Int? { idLength(Array(value.utf8)) }

    private func takes(_ id: [UInt8]) -> Bool { TokenEnvelope.takes(id.span) }

    @Test(arguments: ["a", "~", "a~b", "~~~", "eyJh.eyJz.c2ln", "0c7e-41", "\"a,b;c\""])
    func `an id is found in front of its token, whatever it holds`(id: String) {
        let value = Self.enveloped(Array(id.utf8))
        #expect(takes(Array(id.utf8)))
        #expect(idLength(value) == id.utf8.count)
    }

    @Test func `of two tokens the last is taken off, so that balancers may follow each other`() {
        let inner = Self.enveloped(Array("id".utf8))
        #expect(idLength(Self.enveloped(inner)) == inner.count)
    }

    @Test func `a value without a token is left alone`() {
        let vector = TokenCodecTests.vector
        for value in [
            "", "a", "~", vector, "~\(vector)", "a.\(vector)", "a\(vector)", "a~\(vector)A",
            "a~\(vector.dropLast())", "a~\(vector.dropLast())=", "a~\(vector.dropLast())~",
            // Another version, or no token at all.
            "a~\(TokenCodecTests.versionTwo)", "a~" + String(repeating: "A", count: 56),
        ] {
            #expect(idLength(value) == nil, "\(value)")
        }
    }

    @Test func `only visible ASCII of a bounded length gets a token`() {
        let longest = [UInt8](repeating: UInt8(ascii: "x"), count: TokenEnvelope.longestID)
        #expect(takes(longest))
        #expect(idLength(Self.enveloped(longest)) == longest.count)
        let others: [[UInt8]] = [
            longest + [0x78], [], Array("a b".utf8), [0x09], [0x7f], [0xc3, 0xa4],
        ]
        for id in others {
            #expect(!takes(id))
            #expect(idLength(Self.enveloped(id)) == nil)
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `damage never makes a valid token, and what is given one gives its id back`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let codec = TokenCodecTests().codec()
        for _ in 0..<200 {
            let id = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt8.random(in: 0x21...0x7e, using: &random)
            }
            var value = Self.enveloped(id)
            #expect(idLength(value) == id.count)
            let place = Int.random(in: 0..<value.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: value[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: value.remove(at: place)
            case 2: value.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default: value.removeSubrange(place...)
            }
            guard let length = idLength(value) else { continue }
            #expect(length + TokenEnvelope.addedLength == value.count)
            #expect(takes(Array(value[..<length])))
            // A change of the id alone leaves the token as it was.
            let token = Array(value[(length + 1)...])
            if token == Self.token { continue }
            let found = codec.verify(token.span, now: TokenCodecTests.now, maxAge: .max)
            #expect(found.verdict != .valid)
        }
    }
}
