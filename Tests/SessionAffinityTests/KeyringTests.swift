internal import SessionAffinity
internal import Testing

@Suite struct KeyringTests {
    static let hex = String(repeating: "0a", count: 32)

    func reason(_ text: String) -> String? {
        do throws(KeyringError) {
            _ = try Keyring.parse(text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a keyring reads back what it wrote`() throws {
        var keyring = Keyring(firstKey: [UInt8](repeating: 1, count: 32))
        for byte in 2...5 as ClosedRange<UInt8> {
            keyring = keyring.rotated(with: [UInt8](repeating: byte, count: 32))
        }
        #expect(try Keyring.parse(keyring.text) == keyring)
    }

    @Test func `comments, blank lines, tabs and windows line ends are allowed`() throws {
        let keyring = try Keyring.parse("# keys\r\n\r\n  7\t\(Self.hex.uppercased())  \r\n#\n")
        #expect(keyring.description == "Keyring(ids: 7)")
    }

    @Test(arguments: [
        ("", "no key; remove the file to have a new one made (sessions start anew)"),
        ("# only\n\n", "no key; remove the file to have a new one made (sessions start anew)"),
        ("\n1", "line 2: not a key id, a space and 64 hexadecimal digits"),
        ("1 \(hex) x", "line 1: not a key id, a space and 64 hexadecimal digits"),
        ("256 \(hex)", "line 1: the key id is not a number from 0 to 255"),
        ("-1 \(hex)", "line 1: the key id is not a number from 0 to 255"),
        ("99999999999999999999 \(hex)", "line 1: the key id is not a number from 0 to 255"),
        ("1 abcd", "line 1: the key has 4 characters; it needs 64 hexadecimal digits"),
        ("1 \(hex.dropLast())g", "line 1: the key holds what is no hexadecimal digit"),
        ("1 \(hex)\n1 \(hex)", "line 2: key id 1 is there twice; each has its own"),
        (
            (0...16).map { "\($0) \(hex)" }.joined(separator: "\n"),
            "line 17: more than 16 keys; take the oldest ones out"
        ),
        (
            String(repeating: "#", count: 65537),
            "longer than 64 KiB; this is no keyring file"
        ),
    ])
    func `a wrong file is refused with its line`(text: String, expected: String) {
        #expect(reason(text) == expected)
    }

    @Test func `an error never shows the key`() {
        #expect(reason("1 \(Self.hex)zz")?.contains("0a0a") == false)
    }

    @Test func `a rotation keeps sixteen keys and drops the oldest`() {
        var keyring = Keyring(firstKey: [UInt8](repeating: 0, count: 32))
        for byte in 1...16 as ClosedRange<UInt8> {
            keyring = keyring.rotated(with: [UInt8](repeating: byte, count: 32))
        }
        let ids = (2...17).reversed().map { String($0) }.joined(separator: ", ")
        #expect(keyring.description == "Keyring(ids: \(ids))")
    }

    @Test func `key ids go round after 255 and pass over those in use`() throws {
        let keyring = try Keyring.parse("255 \(Self.hex)\n0 \(Self.hex)\n")
        let rotated = keyring.rotated(with: [UInt8](repeating: 2, count: 32))
        #expect(rotated.description == "Keyring(ids: 1, 255, 0)")
    }

    @Test func `printing a keyring shows no key, however it is done`() throws {
        let keyring = try Keyring.parse("3 \(Self.hex)")
        var dumped = ""
        dump(keyring, to: &dumped)
        for text in [
            "\(keyring)", String(reflecting: keyring), String(describing: [keyring]), dumped,
        ] {
            #expect(!text.contains("0a0a") && !text.contains("10"), "\(text)")
        }
    }
}
