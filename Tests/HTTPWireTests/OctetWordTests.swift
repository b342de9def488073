internal import Testing

@testable internal import HTTPWire

/// Eight octets at a time mean what each of them means alone.
struct OctetWordTests {
    /// Every octet in every place, among neighbours that carry and borrow the most.
    private static func eachWord(_ body: ([UInt8], UInt64) -> Void) {
        let neighbours: [UInt8] = [0x00, 0x01, 0x2c, 0x40, 0x5b, 0x7f, 0x80, 0xff]
        for octet in UInt8.min...UInt8.max {
            for place in 0..<8 {
                for neighbour in neighbours {
                    var octets = [UInt8](repeating: neighbour, count: 8)
                    octets[place] = octet
                    let word = octets.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    body(octets, word)
                }
            }
        }
    }

    /// The octets that are marked.
    private static func marked(_ marks: UInt64) -> [Bool] {
        (0..<8).map { marks >> (UInt64($0) * 8 + 7) & 1 == 1 }
    }

    @Test func `an octet is found wherever it is, and nowhere else`() {
        Self.eachWord { octets, word in
            let marks = OctetWord.equal(word, 0x0a)
            #expect(Self.marked(marks) == octets.map { $0 == 0x0a })
            #expect(marks & 0x7f7f_7f7f_7f7f_7f7f == 0)
        }
    }

    @Test func `letters, digits and hyphens are distinguished from all else`() {
        func isPlain(_ octet: UInt8) -> Bool {
            Octets.isDigit(octet) || Octets.lowered(octet) &- 0x61 < 26 || octet == 0x2d
        }
        Self.eachWord { octets, word in
            #expect(Self.marked(OctetWord.nameCharacters(word)) == octets.map(isPlain))
        }
    }

    @Test func `only letters are put in lower case`() {
        Self.eachWord { octets, word in
            let lowered = OctetWord.lowered(word)
            let found = (0..<8).map { UInt8(truncatingIfNeeded: lowered >> (UInt64($0) * 8)) }
            #expect(found == octets.map(Octets.lowered))
        }
    }

    @Test(arguments: [0, 1, 9, 10, 15, 16, 0x9a, 0xdead_beef, 0x0123_4567, 0x89ab_cdef, .max])
    func `hexadecimal digits are those of the number, in order`(_ number: UInt32) {
        let digits = OctetWord.hexDigits(number)
        let text = (0..<8).map { UInt8(truncatingIfNeeded: digits >> (UInt64($0) * 8)) }
        let expected = String(number, radix: 16)
        #expect(
            String(decoding: text, as: UTF8.self)
                == String(repeating: "0", count: 8 - expected.count) + expected)
    }

    private static func spells(_ name: [UInt8], _ count: Int, _ literal: StaticString) -> Bool {
        Octets.spells(name.span, 0..<count, literal)
    }

    @Test func `a name of any length is spelt in any case, and no other is`() {
        let literals: [StaticString] = [
            "te", "date", "cookie", "trailer", "alt-svc0", "x-real-ip", "content-length",
            "mooring-affinity", "transfer-encoding", "sec-websocket-version",
        ]
        for literal in literals {
            let lower = Array("\(literal)".utf8)
            let upper = Array("\(literal)".uppercased().utf8)
            for name in [lower, upper] {
                #expect(Self.spells(name, name.count, literal))
                for place in name.indices {
                    var other = name
                    // A capital's counterpart among the control characters, and a neighbour.
                    for octet in [name[place] ^ 0x01, name[place] & 0x1f, name[place] | 0x80] {
                        other[place] = octet
                        #expect(!Self.spells(other, other.count, literal))
                    }
                }
                #expect(!Self.spells(name, name.count - 1, literal))
            }
        }
    }

    @Test func `a sink takes hexadecimal numbers of every length`() {
        for digits in 0...16 {
            var memory = [UInt8](repeating: 0x78, count: digits)
            let written = unsafe memory.withUnsafeMutableBufferPointer { buffer in
                var sink = unsafe ByteSink(buffer)
                sink.append(hex: 0x0123_4567_89ab_cdef, digits: digits)
                let first = sink.overflowed
                sink.append(hex: 1, digits: 1)
                return (first, sink.count, sink.overflowed)
            }
            #expect(written == (false, digits, true))
            #expect(String(decoding: memory, as: UTF8.self) == "0123456789abcdef".suffix(digits))
        }
    }
}
