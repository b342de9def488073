internal import Routing
internal import Settings

extension Configuration {
    /// The configuration as TOML, all defaults filled in; values of `env` are hidden.
    package var tomlText: String { text(showsEnvironment: false) }

    /// TOML that reads back to an equal configuration if it includes the values of `env`.
    package func text(showsEnvironment: Bool) -> String {
        var writer = TOMLWriter(showsSecrets: showsEnvironment)
        writer.comment("The configuration as it is understood, defaults filled in.")
        let hidesValues = groups.contains { $0.launch?.environment.isEmpty == false }
        if hidesValues && !showsEnvironment {
            writer.comment("The values of env may be secrets and are shown as \"***\".")
        }
        writer.write(Self.topKeys, of: self)
        for listener in listeners {
            writer.header("[[listen]]")
            writer.write(Listener.keys, of: listener, at: "listen")
        }
        writer.header("[timeouts]")
        writer.write(Timeouts.rows, of: timeouts)
        writer.header("[limits]")
        writer.write(Limits.rows, of: limits)
        writer.header("[log]")
        writer.write(LogSettings.rows, of: log)
        writer.header("[dns]")
        writer.write(NameService.rows, of: dns)
        writer.header("[admin]")
        writer.write(Admin.keys, of: admin)
        writer.header("[affinity]")
        writer.value("keys", TOMLText.quoted(keysFile))
        writer.write(Affinity.keys, of: affinity)
        for group in groups {
            writer.header("[group.\(group.name)]")
            writer.write(Group.keys, of: group, at: "group.\(group.name)")
        }
        writer.header("[routes]")
        for route in routes { write(route, &writer) }
        return writer.text
    }

    private func write(_ route: RouteSettings, _ writer: inout TOMLWriter) {
        let rows = route.group == nil ? RouteSettings.keysOfFiles : RouteSettings.keysOfGroups
        let group = route.group.map {
            KeyEntry(name: "group", value: TOMLText.quoted(groups[$0].name))
        }
        let entries = (group.map { [$0] } ?? []) + KeyRow.entries(rows, of: route)
        writer.value(
            TOMLText.quoted(route.pattern.host + route.pattern.prefix),
            KeyText.inlineTable(entries))
    }
}
