internal import Backends
internal import Glibc
internal import NIOHTTP1

/// Which Host a request may name: the defence against DNS rebinding.
///
/// A page of another site can make a browser resolve its own name to 127.0.0.1 and read this API's
/// responses; but such a request still carries that name. So names are refused unless they are this
/// machine's; numeric addresses cannot be rebound.
struct HostPolicy: Sendable {
    private enum Rule {
        /// A unix socket: browsers cannot connect to it.
        case any
        case these([String])
        /// Bound to every address of the machine: numeric hosts, and the names.
        case numericOr([String])
    }

    private let rule: Rule
    /// The hosts that an absolute request target may name, on a unix socket too.
    private let targets: Rule

    init(address: ProcessAddress, node: String) {
        let local = ["localhost", "127.0.0.1", "::1"]
        switch address {
        case .unix:
            rule = .any
            targets = .these(local + [node.lowercased()])
            return
        case .tcp(let host, _) where ["0.0.0.0", "::"].contains(host):
            rule = .numericOr(local + [node.lowercased()])
        case .tcp(let host, _):
            rule = .these(local + [host.lowercased()])
        }
        targets = rule
    }

    /// Whether a head names one host, and no other in its target (RFC 9112 section 3.2).
    func canAnswer(_ head: HTTPRequestHead) -> Bool {
        guard head.headers["host"].count <= 1 else { return false }
        if head.uri.hasPrefix("/") || head.uri == "*" { return true }
        let scheme = "http://"
        guard head.uri.prefix(scheme.count).lowercased() == scheme else { return false }
        let authority = head.uri.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        return Self.allows(String(authority), by: targets)
    }

    /// Whether a request with this Host field (or `:authority`) is answered.
    func allows(_ authority: String?) -> Bool {
        Self.allows(authority, by: rule)
    }

    private static func allows(_ authority: String?, by rule: Rule) -> Bool {
        if case .any = rule { return true }
        guard let authority, let host = host(of: authority)?.lowercased() else { return false }
        switch rule {
        case .any: return true
        case .these(let hosts): return hosts.contains(host)
        case .numericOr(let hosts): return hosts.contains(host) || isNumeric(host)
        }
    }

    /// The host without port and brackets (RFC 9110 section 7.2); nil when malformed.
    private static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        guard let colon = authority.firstIndex(of: ":") else { return authority }
        guard isPort(authority[colon...]) else { return nil }
        return String(authority[..<colon])
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.utf8.count <= 6
            && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isNumeric(_ host: String) -> Bool {
        var address = in6_addr()
        let family = host.contains(":") ? AF_INET6 : AF_INET
        return unsafe inet_pton(family, host, &address) == 1
    }
}
