internal import SessionAffinity
internal import Testing

/// Sessions by what names them outside.
@Suite struct SessionNamerTests {
    private static let first = Keyring(firstKey: [UInt8](repeating: 1, count: 32))
    private static let other = Keyring(firstKey: [UInt8](repeating: 2, count: 32))

    private func id(
        _ name: String, _ keyring: Keyring = first, carrier: String = "user:x-user",
        group: String = "app"
    ) -> [UInt64] {
        let bytes = Array(name.utf8)
        let id = SessionNamer(keyring: keyring, carrier: carrier, group: group).id(of: bytes.span)
        return [id.high, UInt64(id.low)]
    }

    @Test func `a name has one id, in every loop and after every restart`() {
        #expect(id("ann") == id("ann"))
        #expect(id("") == id(""))
    }

    @Test func `another name, carrier, group or key has another id`() {
        let ids = [
            id("ann"), id("Ann"), id("ann "), id("an"), id("ann", Self.other),
            id("ann", carrier: "query:sid"), id("ann", group: "app2"),
            // What is put together alike is still kept apart.
            id("pann", group: "ap"), id("\u{0}ann"),
        ]
        #expect(Set(ids).count == ids.count)
    }

    @Test func `a new key changes no id; one without the oldest key changes all`() {
        let rotated = Self.first.rotated(with: [UInt8](repeating: 2, count: 32))
        #expect(id("ann", rotated) == id("ann"))
        #expect(id("ann", Self.other) != id("ann", rotated))
    }

    @Test func `no random id is taken for a name's`() {
        for name in ["a", "b", "c", "d"] {
            #expect(SessionNamer.isNamed(low: UInt32(id(name)[1])))
        }
        for low in [0, 1, 2, 3, UInt32.max] {
            #expect(!SessionNamer.isNamed(low: SessionNamer.random(low: low)))
        }
    }
}
