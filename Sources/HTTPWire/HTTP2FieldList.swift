internal import CNghttp2

/// The fields of one response, parsed from an HTTP/1.1 head into memory that is reused.
@safe
struct HTTP2FieldList: ~Copyable {
    /// More fields than any head of Mooring has.
    private static let limit = 256

    /// The facts that the framing of the response depends on.
    struct Facts {
        var status: UInt16 = 0
        var length: UInt64?
        var isChunked = false
    }

    private var fields: UnsafeMutablePointer<nghttp2_nv>
    private var capacity = 32
    private var count = 0
    /// The head; the fields point into it.
    private var octets = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    init() { unsafe fields = .allocate(capacity: capacity) }

    deinit {
        unsafe fields.deallocate()
        unsafe octets.deallocate()
    }

    /// Reads a head including its empty line; nil: invalid, or too many fields.
    ///
    /// Hop-by-hop fields are left out (RFC 9113 section 8.2.2), and, on 1xx, 204 and the response
    /// to an upgrade, fields without meaning there.
    mutating func read(head: Span<UInt8>) -> Facts? {
        keep(head)
        let bytes = unsafe octets.span.extracting(0..<head.count)
        var facts = Facts()
        count = 0
        guard let feed = HeadLines.lineFeed(bytes, from: 0), feed >= 13,
            let status = Octets.decimal(bytes, 9..<12), status >= 100
        else { return nil }
        facts.status = UInt16(truncatingIfNeeded: status)
        // An accepted upgrade is a success of extended CONNECT (RFC 8441 section 5).
        if status == 101 { unsafe octets[9] = 0x32 }
        if status == 101 { unsafe octets[11] = 0x30 }
        append(name: ":status", 9..<12)
        var start = feed &+ 1
        while start < head.count, let feed = HeadLines.lineFeed(bytes, from: start) {
            let line = start..<feed &- 1
            start = feed &+ 1
            if line.count <= 0 { break }
            guard readLine(line, &facts) else { return nil }
        }
        return facts
    }

    /// Takes trailer lines.
    mutating func read(trailers: Span<UInt8>) -> Bool {
        keep(trailers)
        count = 0
        let bytes = unsafe octets.span.extracting(0..<trailers.count)
        var facts = Facts()
        var start = 0
        while let feed = HeadLines.lineFeed(bytes, from: start), feed > start &+ 1 {
            guard readLine(start..<feed &- 1, &facts) else { return false }
            start = feed &+ 1
        }
        return true
    }

    /// A list with only `:status`.
    mutating func answer(_ status: StaticString) {
        count = 0
        status.withUTF8Buffer { text in
            unsafe keep(Span(_unsafeElements: text))
        }
        append(name: ":status", 0..<status.utf8CodeUnitCount)
    }

    var isEmpty: Bool { count == 0 }

    /// Calls the closure with the fields, which are valid until the next head is read.
    func withFields<Result>(
        _ body: (UnsafeMutablePointer<nghttp2_nv>, Int) -> Result
    ) -> Result {
        unsafe body(fields, count)
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        if unsafe octets.count < bytes.count {
            unsafe octets.deallocate()
            unsafe octets = .allocate(capacity: max(2048, bytes.count))
        }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe octets.baseAddress?.update(from: base, count: source.count)
        }
    }

    /// Reads one line without its end; lower-cases the name in place.
    private mutating func readLine(_ line: Range<Int>, _ facts: inout Facts) -> Bool {
        var colon = line.lowerBound
        var hasUnderscore = false
        while colon < line.upperBound, unsafe octets[colon] != 0x3a {
            unsafe octets[colon] = Octets.lowered(octets[colon])
            if unsafe octets[colon] == 0x5f { hasUnderscore = true }
            colon &+= 1
        }
        guard colon > line.lowerBound, colon < line.upperBound else { return false }
        let bytes = unsafe octets.span
        let name = line.lowerBound..<colon
        let value = Octets.trimmed(bytes, colon &+ 1..<line.upperBound)
        switch FieldName.of(bytes, name, hasUnderscore: hasUnderscore) {
        case .connection, .keepAlive, .proxyConnection, .upgrade, .te: return true
        case .transferEncoding:
            facts.isChunked = true
            return true
        case .contentLength:
            facts.length = Octets.decimal(bytes, value)
            if facts.status < 200 || facts.status == 204 { return true }
        case .other:
            if facts.status == 101, Octets.spells(bytes, name, "sec-websocket-accept") {
                return true
            }
        case .altSvc, .authorization, .cacheControl, .cookie, .date, .expect, .forwarded, .host,
            .maxForwards,
            .mooringAffinity, .mooringPin, .mooringSession, .mooringWord, .proxy,
            .proxyAuthenticate,
            .proxyAuthorization, .secWebSocketVersion, .setCookie, .trailer, .via, .xForwardedFor,
            .xForwardedHost, .xForwardedProto, .xForwardedOther, .schemeClaim, .imitation,
            .targetedCaching, .identifier, .underscored:
            break
        }
        guard count < Self.limit else { return false }
        append(name, value)
        return true
    }

    private mutating func append(_ name: Range<Int>, _ value: Range<Int>) {
        if count == capacity { grow() }
        guard let base = unsafe octets.baseAddress else { return }
        let flags = UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
        unsafe (fields + count).initialize(
            to: nghttp2_nv(
                name: base + name.lowerBound, value: base + value.lowerBound, namelen: name.count,
                valuelen: value.count, flags: flags))
        count &+= 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: fields, count: count)
        unsafe fields.deallocate()
        unsafe fields = larger
        capacity *= 2
    }

    private mutating func append(name: StaticString, _ value: Range<Int>) {
        guard let base = unsafe octets.baseAddress else { return }
        let flags = UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
        // nghttp2 copies and does not write: its type only lacks a const.
        unsafe (fields + count).initialize(
            to: nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start),
                value: base + value.lowerBound,
                namelen: name.utf8CodeUnitCount, valuelen: value.count, flags: flags))
        count &+= 1
    }
}
