internal import Routing

/// What a server that decodes first and splits then takes the path for, without its parameters.
private func decodedSegments(_ path: [UInt8]) -> [[UInt8]] {
    var decoded: [UInt8] = []
    var index = 0
    while index < path.count, path[index] != UInt8(ascii: "?"), path[index] != UInt8(ascii: "#") {
        let escape = path[index...].prefix(3)
        if escape.count == 3, escape.first == UInt8(ascii: "%"),
            let byte = UInt8(String(decoding: escape.dropFirst(), as: UTF8.self), radix: 16),
            !escape.contains(UInt8(ascii: "+")), !escape.contains(UInt8(ascii: "-"))
        {
            decoded.append(byte)
            index += 3
        } else {
            decoded.append(path[index])
            index += 1
        }
    }
    return decoded.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
        .map { Array($0.prefix { $0 != UInt8(ascii: ";") }) }
}

/// Nothing that passes has a segment left that any server would resolve, or a backslash.
private func requireSettled(_ path: [UInt8]) {
    for segment in decodedSegments(path) {
        require(segment != Array(".".utf8), "no dot segment is passed on")
        require(segment != Array("..".utf8), "no double dot segment is passed on")
        require(!segment.contains(UInt8(ascii: "\\")), "no backslash is passed on")
    }
}

private let table = RouteTable([
    Route(prefix: "/", group: 0), Route(prefix: "/a", group: 1), Route(prefix: "/a/b", group: 2),
])

/// The place of the route by the segments that a server would see.
private func model(_ path: [UInt8]) -> Int {
    let segments = decodedSegments(path).filter { !$0.isEmpty }
    if segments.starts(with: [Array("a".utf8), Array("b".utf8)]) { return 2 }
    return segments.first == Array("a".utf8) ? 1 : 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPath(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let path = unsafe Array("/".utf8) + input(data, count)
    var settled = path
    switch RequestPath.form(of: path.span) {
    case .plain: break
    case .dotted:
        settled = RequestPath.resolved(path.span)
        require(settled.count < path.count, "resolving takes something out")
        require(settled.first == path.first, "a path stays absolute")
        require(RequestPath.form(of: settled.span) == .plain, "once is enough")
    case .climbing, .hidden, .backslash: return 0
    }
    requireSettled(settled)
    let host: [UInt8] = []
    let route = table.match(host: host.span, path: settled.span)
    require(route == model(settled), "the route is the one of what a server sees")
    let length = table.prefixLength(of: model(settled), in: settled.span)
    require(length <= settled.count, "a prefix is part of its path")
    require(
        length == 0 || length == settled.count
            || [0x2f, 0x25, 0x3f, 0x23].contains(settled[length]),
        "and ends where a segment does")
    return 0
}
