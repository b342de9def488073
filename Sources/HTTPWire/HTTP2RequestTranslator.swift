/// Collects the fields of one header block and builds the head of an HTTP/1.1 request from them.
///
/// Header blocks of a connection never interleave (RFC 9113 section 4.3), so one translator with
/// its memory serves all streams. What RFC 9113 sections 8.2 and 8.3 forbid is refused here even if
/// nghttp2 refuses it too: the HTTP/1.1 side must not depend on a library's checks.
struct HTTP2RequestTranslator {
    /// Where the body of the translated request ends.
    enum Body: Equatable {
        case none
        case length(UInt64)
        case chunked
        /// Bytes of another protocol, once the upgrade is accepted.
        case tunnel
        /// The request will be refused by its head; what follows is ignored.
        case ignored
    }

    /// The kind of a header block.
    enum Outcome: Equatable {
        case request(Body, isHead: Bool)
        /// Extended CONNECT for a protocol other than `websocket`: 501 (RFC 9220 section 3).
        case unknownProtocol
        case malformed
    }

    let headLimit: Int
    private let limit: Int
    private(set) var method: [UInt8] = []
    private(set) var path: [UInt8] = []
    private(set) var authority: [UInt8] = []
    private(set) var scheme: [UInt8] = []
    private(set) var upgrade: [UInt8] = []
    private(set) var host: [UInt8] = []
    private(set) var hasAuthority = false
    private(set) var hasHost = false
    private(set) var cookies: [UInt8] = []
    /// The field lines to write.
    private(set) var lines: [UInt8] = []
    private(set) var length: UInt64?
    private(set) var hasTE = false
    private(set) var hasTrailer = false
    private(set) var hasWebSocketVersion = false
    /// Bytes collected, up to `limit`.
    private var size = 0
    /// Bytes received, whether collected or not.
    private(set) var received = 0
    /// There was more than the limit.
    private(set) var overflowed = false

    /// - Parameter headLimit: the reader's; the head passed on exceeds it if the request does.
    init(headLimit: Int) {
        self.headLimit = headLimit
        limit = headLimit + 1024
    }

    /// Whether a header block is far beyond any limit and deserves no response.
    var isBeyondReason: Bool { received > 8 * limit }

    /// Forgets the last header block.
    mutating func begin() {
        method.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        authority.removeAll(keepingCapacity: true)
        scheme.removeAll(keepingCapacity: true)
        upgrade.removeAll(keepingCapacity: true)
        host.removeAll(keepingCapacity: true)
        cookies.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        hasAuthority = false
        hasHost = false
        length = nil
        hasTE = false
        hasTrailer = false
        hasWebSocketVersion = false
        size = 0
        received = 0
        overflowed = false
    }

    /// Adds a field; false: the request is malformed.
    mutating func add(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        received += name.count + value.count + 32
        if name.count > 0, name[0] == 0x3a { return addPseudo(name, value) }
        guard Self.isName(name), Self.isValue(value) else { return false }
        switch FieldName.of(name, 0..<name.count, hasUnderscore: Self.hasUnderscore(name)) {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            return false
        case .te:
            guard Octets.spells(value, 0..<value.count, "trailers") else { return false }
            hasTE = true
            return true
        case .host:
            guard !hasHost else { return false }
            hasHost = true

            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &host)
            return true
        case .contentLength:
            guard length == nil, let number = Octets.decimal(value, 0..<value.count) else {
                return false
            }
            length = number
            return true
        case .cookie:
            addCookie(value)
            return true
        case .trailer:
            hasTrailer = true
        case .secWebSocketVersion:
            hasWebSocketVersion = true
        case .other, .altSvc, .authorization, .cacheControl, .date, .expect, .forwarded,
            .maxForwards,
            .mooringAffinity, .mooringPin, .mooringSession, .mooringWord, .proxy,
            .proxyAuthenticate,
            .proxyAuthorization, .setCookie, .via, .xForwardedFor, .xForwardedHost,
            .xForwardedProto, .xForwardedOther, .schemeClaim, .imitation, .targetedCaching,
            .identifier, .underscored:
            break
        }
        addLine(name, value)
        return true
    }

    /// Joins cookie crumbs into one field (RFC 9113 section 8.2.3).
    private mutating func addCookie(_ value: Span<UInt8>) {
        if value.isEmpty || overflowed { return }
        if !cookies.isEmpty { Self.append("; ", to: &cookies) }
        Self.append(value.extracting(0..<admit(value.count, overhead: 2)), to: &cookies)
    }

    private mutating func addLine(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        func spells(_ literal: StaticString) -> Bool {
            Octets.spells(name, 0..<name.count, literal)
        }
        // The key exists in HTTP/1.1 only (RFC 8441 section 5), as do the settings of an h2c
        // upgrade.
        if spells("sec-websocket-key") || spells("http2-settings") { return }
        if overflowed { return }
        Self.append(name.extracting(0..<admit(name.count, overhead: 4)), to: &lines)
        Self.append(": ", to: &lines)
        Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &lines)
        Self.append("\r\n", to: &lines)
    }
}

extension HTTP2RequestTranslator {
    private mutating func addPseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        func spells(_ literal: StaticString) -> Bool {
            Octets.spells(name, 0..<name.count, literal)
        }
        for index in 0..<value.count where value[index] <= 0x20 || value[index] == 0x7f {
            return false
        }
        if spells(":authority") {
            guard !hasAuthority else { return false }
            hasAuthority = true

            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &authority)
            return true
        }
        if value.isEmpty { return false }
        if spells(":method") {
            for index in 0..<value.count where !Octets.isToken(value[index]) { return false }
            guard method.isEmpty else { return false }
            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &method)
            return true
        }
        if spells(":path") {
            guard path.isEmpty else { return false }
            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &path)
            return true
        }
        if spells(":scheme") {
            guard scheme.isEmpty else { return false }
            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &scheme)
            return true
        }
        if spells(":protocol") {
            guard upgrade.isEmpty else { return false }
            Self.append(value.extracting(0..<admit(value.count, overhead: 0)), to: &upgrade)
            return true
        }
        return false
    }

    /// As many of the octets as the limit allows.
    private mutating func admit(_ count: Int, overhead: Int) -> Int {
        if overflowed { return 0 }
        let admitted = min(count, limit - size)
        if size + count + overhead > limit { overflowed = true }
        size = min(limit, size + count + overhead)
        return admitted
    }

    static func append(_ bytes: Span<UInt8>, to part: inout [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { buffer in unsafe part.append(contentsOf: buffer) }
    }

    static func append(_ text: StaticString, to part: inout [UInt8]) {
        unsafe part.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Token octets without upper case (RFC 9113 section 8.2.1).
    static func isName(_ name: Span<UInt8>) -> Bool {
        for index in 0..<name.count {
            let octet = name[index]
            if octet &- 0x41 < 26 || !Octets.isToken(octet) { return false }
        }
        return !name.isEmpty
    }

    /// No control characters, and no white space at the ends (RFC 9113 section 8.2.1).
    static func isValue(_ value: Span<UInt8>) -> Bool {
        if value.isEmpty {
            return true
        }
        if Octets.isSpace(value[0]) || Octets.isSpace(value[value.count &- 1]) { return false }
        for index in 0..<value.count where !Octets.isFieldValue(value[index]) { return false }
        return true
    }

    static func hasUnderscore(_ name: Span<UInt8>) -> Bool {
        for index in 0..<name.count where name[index] == 0x5f {
            return true
        }
        return false
    }
}
