package import Backends
package import SessionAffinity
package import Settings

extension Configuration {
    /// `[affinity]`, and `affinity = { … }` of a group or a route over it.
    package struct Affinity: Equatable, Sendable {
        package var pin = Pin.always
        /// Application cookies whose setting starts a session.
        package var learn: [String] = []
        package var cookie = CookieAttributes(name: "mooring")
        /// A session without a request for so long has ended; one value for a whole group.
        package var idle = Interval.seconds(30 * 60)
        /// A cookie not renewed for so long is refused; whole seconds.
        package var maxAge = Interval.seconds(24 * 3600)
        /// The same for a session whose cookie the client has never sent back.
        package var unconfirmed = Interval.seconds(5 * 60)
        /// One value for a whole group.
        package var onLost = GroupPolicy.OnLost.reassign
        /// Whether the backend sees the cookie.
        package var forwardCookie = false

        package init() {}

        /// `maxAge` as tokens are checked by it.
        package var maxAgeSeconds: UInt32 { UInt32(clamping: maxAge.nanoseconds / 1_000_000_000) }

        /// Where a table of affinity keys stands.
        enum Place {
            case top
            case group
            case route
        }

        /// Reads a table over what stands above it.
        init(_ table: TableReader, over base: Affinity, at place: Place) {
            self = base
            pin = table.choice("pin", among: Pin.allCases) ?? base.pin
            learn = Self.names(table) ?? base.learn
            maxAge = Self.age(table) ?? base.maxAge
            forwardCookie = table.boolean("forward_cookie") ?? base.forwardCookie
            readCookie(table)
            readGroupKeys(table, place)
            if learn.contains(cookie.name),
                ["learn", "cookie"].contains(where: table.names.contains)
            {
                table.report(
                    at: "learn", "names Mooring's own cookie", "name cookies of the application")
            }
            table.finish()
        }

        private mutating func readGroupKeys(_ table: TableReader, _ place: Place) {
            switch place {
            case .top: break
            case .group, .route:
                table.refuse(
                    "keys", "is one for all groups and routes", "put it under [affinity]")
            }
            switch place {
            case .top, .group:
                idle = table.duration("idle", atLeast: .seconds(1)) ?? idle
                unconfirmed =
                    table.duration("unconfirmed", atLeast: .seconds(1)) ?? unconfirmed
                onLost = table.choice("on_lost", among: [.reassign, .refuse]) ?? onLost
            case .route:
                let right = "put it into affinity = { … } of the group"
                table.refuse("idle", "is one for all routes of a group", right)
                table.refuse("unconfirmed", "is one for all routes of a group", right)
                table.refuse("on_lost", "is one for all routes of a group", right)
            }
        }

        private mutating func readCookie(_ table: TableReader) {
            cookie.name = Self.name(table) ?? cookie.name
            cookie.sameSite =
                table.choice("same_site", among: CookieAttributes.SameSite.allCases)
                ?? cookie.sameSite
            cookie.secure =
                table.choice("secure", among: CookieAttributes.Secure.allCases) ?? cookie.secure
            cookie.httpOnly = table.boolean("http_only") ?? cookie.httpOnly
            cookie.partitioned = table.boolean("partitioned") ?? cookie.partitioned
            cookie.domain = Self.domain(table) ?? cookie.domain
            checkSecure(table)
        }

        /// What user agents drop without Secure; told once, where one of the keys is set.
        private func checkSecure(_ table: TableReader) {
            let keys = ["same_site", "secure", "partitioned"]
            guard cookie.secure != .always, keys.contains(where: table.names.contains) else {
                return
            }
            let right = "set secure = \"always\", since user agents drop the cookie otherwise"
            if cookie.sameSite == .none {
                table.reportMissing(
                    ["secure"], at: "same_site", "is \"none\" without Secure", right)
            }
            if cookie.partitioned {
                table.reportMissing(
                    ["secure"], at: "partitioned", "is true without Secure", right)
            }
        }

        private static func name(_ table: TableReader) -> String? {
            guard let given = table.text("cookie", example: "mooring") else { return nil }
            let lower = given.value.lowercased()
            if lower.hasPrefix("__host-") || lower.hasPrefix("__secure-") {
                table.problems.add(
                    given.node, "has a prefix that Mooring puts there by itself",
                    "leave it out; __Host- comes on TLS")
                return nil
            }
            guard CookieAttributes.isValidName(given.value) else {
                table.problems.add(
                    given.node, "is \(given.node.kind), which no cookie can be called",
                    "needs 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
                return nil
            }
            return given.value
        }

        private static func names(_ table: TableReader) -> [String]? {
            guard let given = table.texts("learn", example: "sessionid") else { return nil }
            guard given.count <= 32 else {
                table.report(at: "learn", "names \(given.count) cookies", "at most 32")
                return nil
            }
            for name in given where !CookieAttributes.isValidName(name.value) {
                table.problems.add(
                    name.node, "holds \(name.node.kind), which no cookie can be called",
                    "needs cookie names like \"sessionid\"")
            }
            return given.map(\.value)
        }

        /// Tokens count in seconds.
        private static func age(_ table: TableReader) -> Interval? {
            guard let age = table.duration("max_age", atLeast: .seconds(1)) else { return nil }
            if !age.nanoseconds.isMultiple(of: 1_000_000_000) {
                table.report(at: "max_age", "is no whole number of seconds", "write it in \"s\"")
            }
            return age
        }

        private static func domain(_ table: TableReader) -> String? {
            guard let node = table.take("domain") else { return nil }
            if case .text("") = node.value { return "" }
            guard let given = table.text(node, example: "example.org") else { return nil }
            let name = given.value.hasPrefix(".") ? given.value.dropFirst() : given.value[...]
            guard HostName.isValid(name), NumericHost.parseIPv4(name) == nil else {
                table.problems.add(
                    given.node, "is \(given.node.kind), which is no host name",
                    "needs one like \"example.org\"")
                return nil
            }
            return name.lowercased()
        }
    }
}
