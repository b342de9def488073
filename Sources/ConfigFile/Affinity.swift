package import Backends
package import SessionAffinity
package import Settings

extension Configuration {
    /// `[affinity]`, and `affinity = { … }` of a group or a route, which overrides it.
    package struct Affinity: Equatable, Sendable {
        package var pin = Pin.always
        /// Application cookies that start a session when set.
        package var learn: [String] = []
        package var carrier = SessionCarrier.cookie
        /// The field in which trusted proxies name the user; empty: none.
        package var userField = ""
        package var cookie = CookieAttributes(name: "mooring")
        /// A session ends after this long without a request; the same for all routes of a group.
        package var idle = Interval.seconds(30 * 60)
        /// A cookie not renewed for this long is rejected; whole seconds.
        package var maxAge = Interval.seconds(24 * 3600)
        /// Like `idle`, for a session whose cookie the client has never sent back.
        package var unconfirmed = Interval.seconds(5 * 60)
        /// The same for all routes of a group.
        package var onLost = GroupPolicy.OnLost.reassign
        /// Whether the backend sees the cookie.
        package var forwardCookie = false

        package init() {}

        /// Whether sessions are known by a name that no token comes with.
        var namesSessions: Bool {
            switch carrier {
            case .cookie: !userField.isEmpty && pin != .never
            case .header: false
            case .query, .path: pin != .never
            }
        }

        /// `maxAge` in the unit of token verification.
        package var maxAgeSeconds: UInt32 { UInt32(clamping: maxAge.nanoseconds / 1_000_000_000) }

        /// Reads a table; keys that it does not set keep the values of the enclosing table.
        init(
            _ table: TableReader, over base: Affinity, at scope: KeyScope, _ folders: Folders
        ) {
            self = base
            for row in Self.keys {
                if scope <= row.scope {
                    row.read?(&self, table, folders)
                } else if row.scope == .file {
                    table.refuse(
                        row.name, "is one for all groups and routes", "put it under [affinity]")
                } else {
                    table.refuse(
                        row.name, "is one for all routes of a group",
                        "put it into affinity = { … } of the group")
                }
            }
            checkSecure(table)
            checkCarrier(table)
            if learn.contains(cookie.name),
                ["learn", "cookie"].contains(where: table.names.contains)
            {
                table.report(
                    at: "learn", "names Mooring's own cookie", "name cookies of the application")
            }
            table.finish()
        }

        /// Reports keys of the cookie beside another carrier; those of an enclosing table are for
        /// its other groups.
        private func checkCarrier(_ table: TableReader) {
            guard carrier != .cookie else { return }
            guard table.names.contains("carrier") || table.names.contains("by") else { return }
            let ofCookie = [
                "learn", "cookie", "max_age", "same_site", "secure", "http_only", "partitioned",
                "domain", "forward_cookie",
            ]
            for key in ofCookie where table.names.contains(key) {
                table.report(
                    at: key, "has no effect with carrier = \(TOMLText.quoted(carrier.text))",
                    "take it out; no cookie is set")
            }
            if !userField.isEmpty {
                table.report(
                    at: table.names.contains("by") ? "by" : "carrier",
                    "goes by the user, whom no \(TOMLText.quoted(carrier.text)) names",
                    "use one of by and carrier; with by = \"\", this table has the carrier alone")
            }
            if pin == .never, table.names.contains("pin") {
                table.report(
                    at: "carrier", "has no effect with pin = \"never\"", "take one of the two out")
            }
        }

        /// The keys that a table of this scope may have, with their values.
        func entries(at scope: KeyScope) -> [KeyEntry] {
            KeyRow.entries(Self.keys.filter { scope <= $0.scope }, of: self)
        }

        /// Browsers drop these cookies without Secure; reported only in a table that sets one of the
        /// keys.
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
    }
}
