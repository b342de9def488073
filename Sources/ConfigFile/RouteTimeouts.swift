internal import Settings

extension RouteTimeouts {
    /// Reads a table over what stands above it.
    init(_ table: TableReader, over base: RouteTimeouts) {
        self = base
        response = table.duration("response") ?? base.response
        idle = table.duration("idle") ?? base.idle
        tunnel = table.duration("tunnel") ?? base.tunnel
        for key in ["header", "body_idle", "keepalive", "connect", "drain"] {
            table.refuse(key, "is one for all groups and routes", "put it under [timeouts]")
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
