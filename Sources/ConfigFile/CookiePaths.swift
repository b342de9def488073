internal import Routing
internal import SessionAffinity
internal import Settings

extension Configuration {
    /// The Path attribute of a group's cookie: the segments that all its routes share.
    ///
    /// This keeps the cookies of groups at different paths of one host apart under one name: at
    /// `/admin` a browser also sends the cookie of `/`, and verification picks the group's own (RFC
    /// 6265 section 5.1.4). A path that a cookie attribute cannot hold counts as `/`.
    package func cookiePath(ofGroup group: Int) -> String {
        let prefixes = routes.filter { $0.group == group }.map { route in
            route.pattern.prefix.split(separator: "/")
        }
        guard var common = prefixes.first else { return "/" }
        for prefix in prefixes.dropFirst() {
            let shared = zip(common, prefix).prefix { $0 == $1 }.count
            common = Array(common.prefix(shared))
        }
        let path = "/" + common.joined(separator: "/")
        return path.utf8.allSatisfy(Self.mayStandInCookiePath) ? path : "/"
    }

    private static func mayStandInCookiePath(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ";") && byte != UInt8(ascii: ",")
    }

    /// Groups that share a cookie name and path: visiting one ends a visitor's session on the
    /// other.
    var sharedCookieWarnings: [String] {
        var warnings: [String] = []
        for (index, group) in groups.enumerated() {
            for (earlier, other) in groups[..<index].enumerated()
            where cookiePath(ofGroup: index) == cookiePath(ofGroup: earlier)
                && cookieNames(ofGroup: index).contains(
                    where: cookieNames(ofGroup: earlier).contains)
                && sharesHost(index, earlier)
            {
                warnings.append(
                    "group.\(group.name): sets the same cookie at the same path as"
                        + " group.\(other.name), so a visitor of both loses the session of one;"
                        + " give it a name of its own: affinity = { cookie = \"\(group.name)\" }")
            }
        }
        return warnings
    }

    private func cookieNames(ofGroup group: Int) -> [String] {
        routes.filter {
            $0.group == group && $0.affinity.pin != .never && $0.affinity.carrier == .cookie
        }.map(\.affinity.cookie.name)
    }

    private func sharesHost(_ one: Int, _ other: Int) -> Bool {
        let hosts = routes.filter { $0.group == one }.map(\.pattern.host)
        let others = routes.filter { $0.group == other }.map(\.pattern.host)
        return hosts.contains { host in
            others.contains { $0 == host || $0.isEmpty || host.isEmpty }
        }
    }
}
