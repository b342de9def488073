internal import SessionAffinity

private func keyring() -> Keyring {
    let text =
        "2 " + String(repeating: "ab", count: 32) + "\n1 " + String(repeating: "cd", count: 32)
    guard let ring = try? Keyring.parse(text + "\n") else { fatalError("the keyring is good") }
    return ring
}

nonisolated(unsafe) private let codec = TokenCodec(
    keyring: keyring(), cookieName: "mooring", group: "app", otherGroups: ["other"])
private let now: UInt32 = 1_800_000_000

private func number(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
    range.reduce(0) { $0 << 8 | ($1 < bytes.count ? UInt64(bytes[$1]) : 0) }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzToken(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    require(
        unsafe codec.verify(bytes.span, now: now, maxAge: 3600).verdict != .valid,
        "only the keyring makes a token")

    // A token of the input's numbers is good, and with any one change it is not.
    let token = Token(
        issued: now - UInt32(number(bytes, 0..<1)), sessionHigh: number(bytes, 1..<9),
        sessionLow: UInt32(number(bytes, 9..<13)), process: number(bytes, 13..<21))
    var value = [UInt8](repeating: 0, count: Token.encodedLength)
    var span = value.mutableSpan
    unsafe codec.encode(token, into: &span)
    let good = unsafe codec.verify(value.span, now: now, maxAge: 3600)
    require(good.verdict == .valid && good.token == token, "what is made is taken as it was")
    var dice = InputDice(bytes)
    let place = dice.roll(value.count)
    let old = value[place]
    value[place] = bytes.last ?? 0
    if value[place] != old {
        let changed = unsafe codec.verify(value.span, now: now, maxAge: 3600)
        require(changed.verdict != .valid, "what was changed is not taken")
    }
    value.append(0x41)
    require(
        unsafe codec.verify(value.span, now: now, maxAge: 3600).verdict == .malformed,
        "neither is what is longer")
    return 0
}
