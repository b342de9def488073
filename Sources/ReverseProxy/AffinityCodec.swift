internal import Backends
internal import Routing
internal import SessionAffinity
internal import Settings

/// One loop's encoder and verifier of one cookie, or field of the application, of one group, with the
/// prepared field bytes.
struct AffinityCodec {
    let codec: TokenCodec
    let cookieName: [UInt8]
    /// The application's field that carries the session, in lower case; empty: something else does.
    let fieldName: [UInt8]
    /// The field in which trusted proxies name the user, in lower case; empty: none.
    let userField: [UInt8]
    /// Where an id of the application is; nil: something else carries the session.
    private let location: IDLocation?
    /// Gives names their sessions.
    private let namer: SessionNamer
    /// A DELETE with the field ends its session (Model Context Protocol, streamable HTTP).
    let isMCP: Bool
    /// The whole field with its CRLF, containing the token set last.
    private(set) var field: [UInt8]
    private let valueStart: Int
    /// The whole field that deletes the cookie.
    let forgetField: [UInt8]
    let maxAge: UInt32

    /// The codecs that the routes need: two for each group and cookie, for clear text and for TLS.
    static func make(for settings: ProxySettings) -> [AffinityCodec] {
        distinct(settings).flatMap { route in
            [
                make(for: settings, route: route, isSecure: false),
                make(for: settings, route: route, isSecure: true),
            ]
        }
    }

    private static func make(
        for settings: ProxySettings, route: Int, isSecure: Bool
    ) -> AffinityCodec {
        let affinity = settings.routeSettings[route].affinity
        var fieldName: [UInt8] = []
        var location: IDLocation?
        // No cookie has a colon in its name, so that neither's tokens are valid for the other.
        var purpose = affinity.cookie.name
        var maxAge = affinity.maxAgeSeconds
        switch affinity.carrier {
        case .cookie: break
        case .header(let name):
            fieldName = Array(name.lowercased().utf8)
            purpose = "header:\(name.lowercased())"
            // Its tokens are never renewed.
            maxAge = .max
        case .query(let name): location = .parameter(Array(name.utf8))
        case .path(let number): location = .segment(number)
        }
        let userField = affinity.userField.lowercased()
        let group = settings.groups[settings.routeSettings[route].group].name
        let parts = affinity.cookie.setCookieField(secureConnection: isSecure)
        let forget = Array("; Max-Age=0".utf8)
        return AffinityCodec(
            codec: TokenCodec(
                keyring: settings.keyring, cookieName: purpose, group: group,
                otherGroups: settings.groups.map(\.name).filter { $0 != group }),
            cookieName: Array(affinity.cookie.effectiveName(secureConnection: isSecure).utf8),
            fieldName: fieldName, userField: Array(userField.utf8), location: location,
            namer: SessionNamer(
                keyring: settings.keyring,
                carrier: userField.isEmpty ? affinity.carrier.text : "user:\(userField)",
                group: group),
            isMCP: purpose == "header:mcp-session-id",
            field: parts.prefix + Array(repeating: 0, count: Token.encodedLength) + parts.suffix,
            valueStart: parts.prefix.count,
            forgetField: parts.prefix + forget + parts.suffix,
            maxAge: maxAge)
    }

    /// Puts a cookie's value into the field.
    mutating func setValue(_ value: borrowing InlineArray<56, UInt8>) {
        let value = value.span
        let start = valueStart
        var room = field.mutableSpan
        for index in 0..<Token.encodedLength { room[start &+ index] = value[index] }
    }

    /// The parameter of the query that holds the id; nil: it is elsewhere.
    var parameter: [UInt8]? {
        if case .parameter(let name) = location { name } else { nil }
    }

    /// The session that a name stands for.
    func session(of name: Span<UInt8>) -> SessionID {
        let id = namer.id(of: name)
        return SessionID(high: id.high, low: id.low)
    }

    /// The session whose id is in a target; nil: there is none.
    func session(in target: Span<UInt8>) -> SessionID? {
        guard let range = location?.find(in: target), let name = DecodedID(target, range) else {
            return nil
        }
        return session(of: name.span)
    }

    /// Makes the field of the application's line and a token.
    ///
    /// - Parameter line: with the application's own value, without a line end.
    mutating func setLine(_ line: Span<UInt8>, _ token: Span<UInt8>) {
        field.removeAll(keepingCapacity: true)
        append(line)
        field.append(TokenEnvelope.mark)
        append(token)
        field.append(0x0d)
        field.append(0x0a)
    }

    private mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe field.append(contentsOf: $0) }
    }

    /// For each route the index of its clear-text codec; the one for TLS follows it.
    ///
    /// A route to files has none, and 0 here.
    static func indices(for settings: ProxySettings) -> [Int] {
        let routes = distinct(settings)
        return settings.routeSettings.indices.map { route in
            2 * (routes.firstIndex { sharesCodec(settings, $0, route) } ?? 0)
        }
    }

    /// The first route of each kind.
    private static func distinct(_ settings: ProxySettings) -> [Int] {
        var found: [Int] = []
        for route in settings.routeSettings.indices
        where settings.routeSettings[route].group >= 0
            && !found.contains(where: { sharesCodec(settings, $0, route) })
        {
            found.append(route)
        }
        return found
    }

    private static func sharesCodec(_ settings: ProxySettings, _ one: Int, _ other: Int) -> Bool {
        let left = settings.routeSettings[one]
        let right = settings.routeSettings[other]
        return left.group == right.group && left.affinity.carrier == right.affinity.carrier
            && left.affinity.userField == right.affinity.userField
            && left.affinity.cookie == right.affinity.cookie
            && left.affinity.maxAgeSeconds == right.affinity.maxAgeSeconds
    }
}
