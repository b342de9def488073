internal import HTTPWire

private func line(_ header: ProxyHeader) -> [UInt8]? {
    guard let source = header.source.address, let destination = header.destination.address,
        source.isV4 == destination.isV4
    else { return nil }
    return written { sink in
        sink.append(source.isV4 ? "PROXY TCP4 " : "PROXY TCP6 ")
        source.write(into: &sink)
        sink.append(" ")
        destination.write(into: &sink)
        sink.append(" ")
        sink.append(decimal: UInt64(header.source.port))
        sink.append(" ")
        sink.append(decimal: UInt64(header.destination.port))
        sink.append("\r\n")
    }
}

/// The same header with fewer bytes is waited for, never taken for another.
private func requireWaiting(_ bytes: [UInt8], _ length: Int) {
    for count in 0..<length {
        let piece = ProxyHeader.parse(bytes.span.extracting(0..<count))
        require(piece == .incomplete, "a header is waited for")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxyHeader(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    switch ProxyHeader.parse(bytes.span) {
    case .incomplete:
        require(bytes.count < ProxyHeader.maximumLength, "what is waited for is bounded")
        requireWaiting(bytes, bytes.count)
    case .invalid:
        break
    case .local(let length):
        require(length <= min(bytes.count, ProxyHeader.maximumLength), "it is among the bytes")
        requireWaiting(bytes, length)
    case .parsed(let header):
        require(header.length <= min(bytes.count, ProxyHeader.maximumLength), "among the bytes")
        requireWaiting(bytes, header.length)
        guard let line = line(header) else { return 0 }
        guard case .parsed(let again) = ProxyHeader.parse(line.span) else {
            fatalError("what is written is taken")
        }
        require(again.source == header.source, "the source stays")
        require(again.destination == header.destination, "so does the destination")
        require(again.length == line.count, "and nothing is behind it")
    }
    return 0
}
