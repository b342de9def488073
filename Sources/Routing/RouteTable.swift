/// Finds the route of a request, without allocations.
///
/// The longest prefix of whole segments wins, and a route with the request's host takes precedence
/// over every one without. Paths are compared as `PathReader` reads them, hosts ignoring case, port
/// and trailing dot.
package struct RouteTable: Sendable {
    /// One route, with its texts as ranges of `bytes`: plain values, so that matching counts no
    /// references.
    private struct Candidate {
        var route: Int
        var host: Range<Int>
        var prefix: Range<Int>
    }

    /// In the order of precedence.
    private let candidates: [Candidate]
    /// Hosts and prefixes, concatenated; the prefix `/` is empty here.
    private let bytes: [UInt8]
    /// For each given route, its index in `candidates`.
    private let positions: [Int]

    /// Builds the table; of two routes with the same host and prefix the first is used.
    package init(_ routes: [Route]) {
        var bytes: [UInt8] = []
        func append(_ text: String) -> Range<Int> {
            let start = bytes.count
            bytes += text.utf8
            return start..<bytes.count
        }
        var candidates = routes.enumerated().map { index, route in
            Candidate(
                route: index, host: append(route.host),
                prefix: append(route.prefix == "/" ? "" : route.prefix))
        }
        candidates.sort { left, right in
            if left.host.isEmpty != right.host.isEmpty { return right.host.isEmpty }
            if left.prefix.count != right.prefix.count {
                return left.prefix.count > right.prefix.count
            }
            return left.route < right.route
        }
        var positions = [Int](repeating: 0, count: routes.count)
        for (position, candidate) in candidates.enumerated() {
            positions[candidate.route] = position
        }
        self.candidates = candidates
        self.bytes = bytes
        self.positions = positions
    }

    /// The route of a request, as its index among the given routes; nil when none matches.
    ///
    /// - Parameters:
    ///   - host: the Host field or authority, with or without port.
    ///   - path: the request target's path, as sent; a query may follow.
    package func match(host: Span<UInt8>, path: Span<UInt8>) -> Int? {
        let name = Self.name(in: host)
        for candidate in candidates {
            guard candidate.host.isEmpty || isHost(candidate.host, host, name),
                length(of: candidate.prefix, in: path) != nil
            else { continue }
            return candidate.route
        }
        return nil
    }

    /// How many bytes of the path, as sent, the prefix of a route covers; 0 for `/`.
    ///
    /// With escapes and doubled slashes these may be more than the prefix has: of `//%61dmin/x` the
    /// prefix `/admin` covers nine, and of `/admin;v=1/x` ten. Also 0 if the route does not match
    /// the path.
    package func prefixLength(of route: Int, in path: Span<UInt8>) -> Int {
        guard positions.indices.contains(route) else { return 0 }
        return length(of: candidates[positions[route]].prefix, in: path) ?? 0
    }

    /// The bytes of the path that the prefix covers if it ends at a segment's end; else nil.
    private func length(of prefix: Range<Int>, in path: Span<UInt8>) -> Int? {
        var reader = PathReader()
        for index in prefix {
            guard reader.next(path) == bytes[index] else { return nil }
        }
        if prefix.isEmpty { return 0 }
        // The parameters of a segment belong to it.
        reader.skipParameters(path)
        let end = reader.position
        guard let following = reader.next(path) else { return end }
        return following == UInt8(ascii: "/") ? end : nil
    }

    private func isHost(_ own: Range<Int>, _ host: Span<UInt8>, _ name: Range<Int>) -> Bool {
        guard own.count == name.count else { return false }
        for offset in 0..<own.count
        where bytes[own.lowerBound + offset] != Self.lower(host[name.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// The host without its port and trailing dot.
    private static func name(in host: Span<UInt8>) -> Range<Int> {
        var end = 0
        let closing = host.count > 0 && host[0] == UInt8(ascii: "[")
        let stop = closing ? UInt8(ascii: "]") : UInt8(ascii: ":")
        while end < host.count, host[end] != stop { end += 1 }
        if closing { return 0..<min(end + 1, host.count) }
        if end > 0, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return 0..<end
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
