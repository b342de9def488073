internal import Settings

extension HealthPolicy {
    /// The whole request; empty: a connection is all that is asked for.
    ///
    /// `Connection: close`, since the next one comes much later.
    ///
    /// `localhost` is the name most likely to be accepted by frameworks that check it; a 4xx
    /// response counts as a response all the same.
    var request: [UInt8] {
        if path.isEmpty { return [] }
        return Array(
            """
            GET \(path) HTTP/1.1\r
            Host: \(host.isEmpty ? "localhost" : host)\r
            User-Agent: mooring-health\r
            Accept: */*\r
            Connection: close\r
            \r

            """.utf8)
    }
}
