internal import HTTPWire
internal import SessionAffinity

private let name = Array("mooring".utf8)

/// The values of the name: a second, simple-minded reader.
private func values(_ field: [UInt8]) -> [[UInt8]] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let front = bytes.drop(while: isSpace)
        return front.dropLast(front.reversed().prefix(while: isSpace).count)
    }
    return field.split(separator: 0x3b).compactMap { pair in
        guard let equals = pair.firstIndex(of: 0x3d), trimmed(pair[..<equals]).elementsEqual(name)
        else { return nil }
        let value = trimmed(pair[(equals + 1)...])
        guard value.count >= 2, value.first == 0x22, value.last == 0x22 else { return Array(value) }
        return Array(value.dropFirst().dropLast())
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCookie(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let field = unsafe input(data, count)
    var scanner = CookieScanner(field.span, name: name.span)
    var found: [[UInt8]] = []
    while let value = scanner.next() { found.append(Array(field[value])) }
    require(found == Array(values(field).prefix(CookieScanner.maximumPairs)), "values are found")
    return 0
}
