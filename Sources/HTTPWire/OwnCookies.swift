/// The names of Mooring's own cookies, of all groups, which no process may set or see.
///
/// A process that could would be able to move a client to another session, or take over one of
/// another group.
package struct OwnCookies: Sendable {
    /// Concatenated, each in lower case after its length.
    private let names: [UInt8]

    /// - Parameter names: as configured, without a prefix; duplicates are harmless.
    package init(names: [String]) {
        self.names = Set(names.map { $0.lowercased() }).flatMap { name in
            [UInt8(clamping: name.utf8.count)] + name.utf8
        }
    }

    /// Whether a `Set-Cookie` value sets one of them, however user agents might parse it.
    ///
    /// User agents send a cookie without a name as its value alone, so `=mooring=x` sets `mooring`;
    /// and agents and servers differ on case, quotes and space.
    func areSet(by value: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var start = value.lowerBound
        while start < value.upperBound, Self.isPassedOver(bytes[start]) { start &+= 1 }
        var end = start
        while end < value.upperBound, !Self.endsName(bytes[end]) { end &+= 1 }
        let given = Octets.trimmed(bytes, start..<end)
        return isOwn(given, in: bytes)
    }

    /// Whether a name is one of them, with or without a prefix, ignoring case.
    func isOwn(_ name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        if has(name, in: bytes) { return true }
        let rest = Self.withoutPrefix(name, in: bytes)
        return rest != name && has(rest, in: bytes)
    }

    private func has(_ given: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var position = 0
        while position < names.count {
            let count = Int(names[position])
            let name = position &+ 1
            position = name &+ count
            guard count == given.count else { continue }
            var isSame = true
            for offset in 0..<count
            where Octets.lowered(bytes[given.lowerBound &+ offset]) != names[name &+ offset] {
                isSame = false
                break
            }
            if isSame { return true }
        }
        return false
    }

    /// RFC 6265bis section 4.1.3; user agents match the prefixes in any case.
    private static func withoutPrefix(_ name: Range<Int>, in bytes: Span<UInt8>) -> Range<Int> {
        for prefix: StaticString in ["__host-", "__secure-"] {
            let count = prefix.utf8CodeUnitCount
            guard name.count > count else { continue }
            let start = name.lowerBound &+ count
            if Octets.spells(bytes, name.lowerBound..<start, prefix) {
                return start..<name.upperBound
            }
        }
        return name
    }

    private static func isPassedOver(_ byte: UInt8) -> Bool {
        Octets.isSpace(byte) || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\"")
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "=") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\"")
    }
}
