internal import SessionAffinity

private let name = Array("mooring".utf8)

private func pairs(_ field: [UInt8]) -> [CookiePair] {
    var scanner = CookieScanner(field.span, name: name.span)
    var pairs: [CookiePair] = []
    while let pair = scanner.next() { pairs.append(pair) }
    return pairs
}

/// The pairs of other names, trimmed, in their order: a second, simple-minded reader.
private func others(_ field: [UInt8]) -> [[UInt8]] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let front = bytes.drop(while: isSpace)
        return front.dropLast(front.reversed().prefix(while: isSpace).count)
    }
    return field.split(separator: 0x3b).map { trimmed($0) }.filter { pair in
        guard !pair.isEmpty, let equals = pair.firstIndex(of: 0x3d) else { return !pair.isEmpty }
        return !trimmed(pair[..<equals]).elementsEqual(name)
    }.map { Array($0) }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCookie(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let field = unsafe input(data, count)
    let found = pairs(field)
    require(found.count <= CookieScanner.maximumPairs, "occurrences are bounded")
    var position = 0
    var rest: [UInt8] = []
    for pair in found {
        require(pair.removal.lowerBound >= position, "removals come in order")
        require(pair.removal.upperBound <= field.count, "and lie in the field")
        require(
            pair.value.isEmpty
                || pair.removal.contains(pair.value.lowerBound)
                    && pair.value.upperBound <= pair.removal.upperBound,
            "each holds its value")
        rest += field[position..<pair.removal.lowerBound]
        position = pair.removal.upperBound
    }
    rest += field[position...]
    if found.count < CookieScanner.maximumPairs {
        require(pairs(rest).isEmpty, "nothing of the name is left")
        require(others(rest) == others(field), "the others are untouched")
    }
    return 0
}
