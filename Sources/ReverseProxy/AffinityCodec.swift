internal import SessionAffinity

/// One loop's encoder and verifier of one cookie of one group, with the prepared field bytes.
struct AffinityCodec {
    let codec: TokenCodec
    let cookieName: [UInt8]
    /// The whole `Set-Cookie` field with its CRLF, containing the value set last.
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
        let group = settings.groups[settings.routeSettings[route].group].name
        let parts = affinity.cookie.setCookieField(secureConnection: isSecure)
        let forget = Array("; Max-Age=0".utf8)
        return AffinityCodec(
            codec: TokenCodec(
                keyring: settings.keyring, cookieName: affinity.cookie.name, group: group,
                otherGroups: settings.groups.map(\.name).filter { $0 != group }),
            cookieName: Array(affinity.cookie.effectiveName(secureConnection: isSecure).utf8),
            field: parts.prefix + Array(repeating: 0, count: Token.encodedLength) + parts.suffix,
            valueStart: parts.prefix.count,
            forgetField: parts.prefix + forget + parts.suffix,
            maxAge: affinity.maxAgeSeconds)
    }

    /// Puts a cookie's value into the field.
    mutating func setValue(_ value: borrowing InlineArray<56, UInt8>) {
        let value = value.span
        let start = valueStart
        var room = field.mutableSpan
        for index in 0..<Token.encodedLength { room[start &+ index] = value[index] }
    }

    /// For each route the index of its clear-text codec; the one for TLS follows it.
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
        where !found.contains(where: { sharesCodec(settings, $0, route) }) {
            found.append(route)
        }
        return found
    }

    private static func sharesCodec(_ settings: ProxySettings, _ one: Int, _ other: Int) -> Bool {
        let left = settings.routeSettings[one]
        let right = settings.routeSettings[other]
        return left.group == right.group && left.affinity.cookie == right.affinity.cookie
            && left.affinity.maxAgeSeconds == right.affinity.maxAgeSeconds
    }
}
