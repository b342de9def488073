/// The key of a route in the configuration: `/PATH` or `HOST/PATH`.
package struct RoutePattern: Hashable, Sendable {
    /// As in `Route`.
    package var host: String
    /// As in `Route`.
    package var prefix: String

    package init(host: String, prefix: String) {
        self.host = host
        self.prefix = prefix
    }
}

/// Why a pattern is invalid, and what would be right.
package struct RoutePatternError: Error, Equatable, CustomStringConvertible {
    package var reason: String
    package var advice: String
    package var description: String { "\(reason); \(advice)" }
}

extension RouteTable {
    /// Parses `/PATH` or `HOST/PATH`; removes a trailing slash and lower-cases the host.
    package static func parse(_ text: String) throws(RoutePatternError) -> RoutePattern {
        guard text.utf8.count <= 2048 else {
            throw RoutePatternError(reason: "is longer than 2048 bytes", advice: "shorten it")
        }
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            throw RoutePatternError(
                reason: "has no path", advice: "write \"/PATH\", or \"HOST/\" for a whole host")
        }
        return RoutePattern(
            host: try parseHost(text[..<slash]), prefix: try parsePrefix(text[slash...]))
    }

    private static func parseHost(_ text: Substring) throws(RoutePatternError) -> String {
        var host = text.lowercased()
        if host.hasSuffix(":") {
            throw RoutePatternError(
                reason: "begins with a scheme", advice: "write \"HOST/PATH\" without it")
        }
        if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            let isAddress = inner.utf8.allSatisfy { byte in
                isAlphanumeric(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
            }
            guard host.hasSuffix("]"), !inner.isEmpty, isAddress else {
                throw RoutePatternError(
                    reason: "has a host that is no address in brackets", advice: "leave a port out")
            }
            return host
        }
        if host.hasSuffix(".") { host.removeLast() }
        if host.utf8.contains(UInt8(ascii: ":")) {
            throw RoutePatternError(
                reason: "has a port", advice: "leave it out, only the host is compared")
        }
        if host.utf8.contains(UInt8(ascii: "*")) {
            throw RoutePatternError(reason: "has a wildcard", advice: "write each host in full")
        }
        let isName = host.utf8.allSatisfy { byte in
            isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        guard isName, host.utf8.count <= 253, !(host.isEmpty && !text.isEmpty) else {
            throw RoutePatternError(
                reason: "has a host that is no name",
                advice: "international names are written as xn--…")
        }
        return host
    }

    private static func parsePrefix(_ text: Substring) throws(RoutePatternError) -> String {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "%"):
                throw RoutePatternError(
                    reason: "has a %",
                    advice: "paths are compared decoded, so write the character itself")
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                throw RoutePatternError(reason: "has a query", advice: "only the path is compared")
            case UInt8(ascii: "*"):
                throw RoutePatternError(
                    reason: "has a *",
                    advice: "a route takes everything below its path, write \"/admin\"")
            case UInt8(ascii: ";"):
                throw RoutePatternError(
                    reason: "has a ;", advice: "path parameters are not compared, leave them out")
            case UInt8(ascii: "\\"):
                throw RoutePatternError(
                    reason: "has a backslash", advice: "such requests are refused, write \"/\"")
            case 0..<0x20, 0x7F:
                throw RoutePatternError(reason: "has a control character", advice: "take it out")
            default:
                continue
            }
        }
        // By bytes, so that a combining character after a slash does not hide it.
        let segments = text.utf8
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .dropFirst().map { String(Substring($0)) }
        if segments.contains(".") || segments.contains("..") {
            throw RoutePatternError(
                reason: "has a \".\" or \"..\" segment",
                advice: "dot segments are resolved before paths are compared, leave them out")
        }
        let named = segments.last == "" ? segments.dropLast() : segments[...]
        guard !named.contains("") else {
            throw RoutePatternError(
                reason: "has an empty segment", advice: "write one slash for two")
        }
        return "/" + named.joined(separator: "/")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
