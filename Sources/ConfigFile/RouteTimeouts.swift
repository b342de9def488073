package import Backends

extension Configuration {
    /// `timeouts` of a group or a route, over those of the whole file.
    package struct RouteTimeouts: Equatable, Sendable {
        /// First byte of the response head.
        package var response: Interval
        /// Between response bytes.
        package var idle: Interval
        /// WebSocket and other upgrades: no byte either way.
        package var tunnel: Interval

        init(_ timeouts: Timeouts) {
            response = timeouts.response
            idle = timeouts.idle
            tunnel = timeouts.tunnel
        }

        /// Reads a table over what stands above it.
        init(_ table: TableReader, over base: RouteTimeouts) {
            response = table.duration("response") ?? base.response
            idle = table.duration("idle") ?? base.idle
            tunnel = table.duration("tunnel") ?? base.tunnel
            for key in ["header", "body_idle", "keepalive", "connect", "drain"] {
                table.refuse(
                    key, "is one for all groups and routes", "put it under [timeouts]")
            }
            table.finish()
        }

        /// As an inline table of TOML.
        var tomlText: String {
            let entries = [("response", response), ("idle", idle), ("tunnel", tunnel)].map {
                "\($0) = \(TOMLText.quoted(DurationText.text(of: $1)))"
            }
            return "{ \(entries.joined(separator: ", ")) }"
        }
    }
}
