/// The pairs of a `Cookie` value, without the space around them and without empty ones (RFC 6265
/// section 4.2.1).
struct CookiePairs {
    private var position: Int
    private let end: Int

    init(_ value: Range<Int>) {
        position = value.lowerBound
        end = value.upperBound
    }

    /// The next pair's range in `bytes`; nil after the last.
    mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        while position < end {
            let stop = Octets.first(UInt8(ascii: ";"), in: bytes, position..<end)
            let pair = Octets.trimmed(bytes, position..<stop)
            position = stop &+ 1
            if !pair.isEmpty { return pair }
        }
        return nil
    }
}

extension OwnCookies {
    /// The first pair of a `Cookie` value to hide from the process; nil: there is none.
    func firstHidden(
        in value: Range<Int>, of bytes: Span<UInt8>, except kept: Span<UInt8>
    ) -> Range<Int>? {
        var pairs = CookiePairs(value)
        while let pair = pairs.next(in: bytes) {
            if hide(pair, in: bytes, except: kept) { return pair }
        }
        return nil
    }

    /// Whether a pair is one of Mooring's own cookies, of any group: a process that saw another
    /// group's cookie could take over its session.
    func hide(_ pair: Range<Int>, in bytes: Span<UInt8>, except kept: Span<UInt8>) -> Bool {
        let end = Octets.first(UInt8(ascii: "="), in: bytes, pair)
        guard end < pair.upperBound else { return false }
        let name = Octets.trimmed(bytes, pair.lowerBound..<end)
        guard isOwn(name, in: bytes) else { return false }
        return !isKept(name, in: bytes, kept)
    }

    private func isKept(
        _ name: Range<Int>, in bytes: Span<UInt8>, _ kept: Span<UInt8>
    ) -> Bool {
        guard kept.count == name.count else { return false }
        for offset in 0..<kept.count where bytes[name.lowerBound &+ offset] != kept[offset] {
            return false
        }
        return true
    }
}
