/// The sender of a request, from its fields: read only for the few requests where it matters.
extension RequestHead {
    /// Whether a field shows that a proxy forwarded the request, whose connection carries many
    /// users.
    ///
    /// - Parameter bytes: the parsed bytes.
    package func cameThroughProxy(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count
        where ProxyFields.contains(bytes, fields[index].name.range) {
            return true
        }
        return false
    }

    /// A number that is equal for all requests of one browser to one site.
    ///
    /// Computed from every field except those that differ between a page and its subresources.
    /// Requests with different numbers are, or may be, from different users.
    ///
    /// - Parameter bytes: the parsed bytes.
    package func visitor(_ bytes: Span<UInt8>) -> UInt64 {
        var sum: UInt64 = 0
        for index in 0..<fields.count
        where !RequestFields.contains(bytes, fields[index].name.range) {
            // FNV-1a, summed, so that the order of the fields does not matter.
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for position in fields[index].name.range {
                hash = (hash ^ UInt64(Octets.lowered(bytes[position]))) &* 0x100_0000_01b3
            }
            hash = (hash ^ 0x3a) &* 0x100_0000_01b3
            for position in fields[index].value.range {
                hash = (hash ^ UInt64(bytes[position])) &* 0x100_0000_01b3
            }
            sum &+= hash
        }
        return sum
    }
}

/// The fields that proxies, gateways and content delivery networks add, and browsers never do.
enum ProxyFields {
    private static let names: [StaticString] = [
        "via", "forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip",
        "client-ip", "wl-proxy-client-ip", "proxy-client-ip", "x-remote-ip", "x-remote-addr",
        "x-originating-ip", "x-host", "x-server", "x-scheme", "x-forwarded", "x-forward-for",
        "cdn-loop", "x-proxyuser-ip", "x-request-id", "x-correlation-id", "x-request-start",
        "x-varnish", "x-ssl", "ssl", "front-end-https", "x-url-scheme", "x-cloud-trace-context",
        "surrogate-capability", "x-bluecoat-via", "x-country-code", "x-lb", "remote-addr",
    ]
    private static let prefixes: [StaticString] = [
        "x-forwarded-", "x-original-", "x-envoy-", "x-proxy-", "x-real-", "x-b3-", "x-amz",
        "x-appengine-", "x-azure-", "x-arr-", "x-akamai-", "x-cdn-", "x-fastly-",
        "x-nginx-", "x-haproxy-", "x-traefik-", "x-ms-proxy", "x-vercel-", "x-nf-", "x-sucuri-",
        "x-edge-", "akamai-", "cf-", "fastly-", "fly-", "incap-", "cloudfront-", "cdn-", "ssl-",
        "x-ssl-", "x-tls-",
    ]

    /// Ignores case, and treats `_` as `-`, since CGI maps both to one variable.
    static func contains(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        names.contains { name.count == $0.utf8CodeUnitCount && begins(bytes, name, $0) }
            || prefixes.contains { begins(bytes, name, $0) }
    }

    private static func begins(
        _ bytes: Span<UInt8>, _ name: Range<Int>, _ literal: StaticString
    ) -> Bool {
        guard name.count >= literal.utf8CodeUnitCount else { return false }
        for offset in 0..<literal.utf8CodeUnitCount {
            let octet = Octets.hyphenated(Octets.lowered(bytes[name.lowerBound &+ offset]))
            if octet != literal.octet(offset) { return false }
        }
        return true
    }
}

/// The fields that differ between one browser's requests to one site.
enum RequestFields {
    private static let names: [StaticString] = [
        "accept", "baggage", "cache-control", "early-data", "expect", "origin", "pragma",
        "priority", "purpose", "range", "referer", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "x-requested-with", "upgrade-insecure-requests",
    ]
    private static let prefixes: [StaticString] = ["content-", "if-", "sec-fetch-", "sec-purpose"]

    static func contains(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        names.contains { Octets.spells(bytes, name, $0) }
            || prefixes.contains { literal in
                let length = literal.utf8CodeUnitCount
                let front = name.lowerBound..<name.lowerBound &+ min(length, name.count)
                return Octets.spells(bytes, front, literal)
            }
    }
}
