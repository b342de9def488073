/// The destination of requests for one host below one path.
package struct Route: Equatable, Sendable {
    /// Lower case, without port and trailing dot, IPv6 addresses in brackets; empty: any host.
    package var host: String
    /// `/`, or whole segments without a trailing slash: `/admin`; decoded, as it is compared.
    package var prefix: String
    /// The index of the group in the configuration; -1: it leads to files.
    package var group: Int
    /// Whether the prefix is removed from the path that the backend sees.
    package var stripPrefix: Bool
    /// The index of the affinity settings; opaque here.
    package var affinity: Int

    package init(
        host: String = "", prefix: String, group: Int, stripPrefix: Bool = false, affinity: Int = 0
    ) {
        self.host = host
        self.prefix = prefix
        self.group = group
        self.stripPrefix = stripPrefix
        self.affinity = affinity
    }
}
