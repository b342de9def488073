/// 64-bit FNV-1a over texts, each preceded by its length, so `["ab", "c"]` differs from `["a",
/// "bc"]`.
///
/// `Hasher` is seeded per process and would make every adopted process look changed.
package struct StableHash {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    /// 16 hexadecimal digits.
    package var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Adds a text.
    package mutating func add(_ text: String) {
        add(count: text.utf8.count)
        for byte in text.utf8 { add(byte) }
    }

    /// Adds a table, sorted by key, since the order of a dictionary differs from run to run.
    package mutating func add(_ table: [String: String]) {
        add(count: table.count)
        for (key, value) in table.sorted(by: { $0.key < $1.key }) {
            add(key)
            add(value)
        }
    }

    /// Adds the texts of a list.
    package mutating func add(_ texts: [String]) {
        add(count: texts.count)
        for text in texts { add(text) }
    }

    private mutating func add(count: Int) {
        var rest = UInt64(count)
        for _ in 0..<8 {
            add(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
}
