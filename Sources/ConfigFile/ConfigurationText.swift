internal import Backends
internal import Routing
internal import SessionAffinity

extension Configuration {
    /// The configuration as a file, all defaults filled in; values of `env` are not shown.
    package var tomlText: String { text(showsEnvironment: false) }

    /// A file that reads back to an equal configuration when the environment's values are in it.
    package func text(showsEnvironment: Bool) -> String {
        var writer = TOMLWriter()
        writer.comment("The configuration as it is understood, defaults filled in.")
        let hidesValues = groups.contains { $0.launch?.environment.isEmpty == false }
        if hidesValues && !showsEnvironment {
            writer.comment("The values of env may be secrets and are shown as \"***\".")
        }
        writer.text("state_dir", stateDirectory)
        writer.text("runtime_dir", runtimeDirectory)
        writer.value("workers", "\(workers)")
        for address in listeners {
            writer.header("[[listen]]")
            writer.text("address", AddressText.text(of: address))
        }
        write(timeouts, &writer)
        write(limits, &writer)
        write(log, &writer)
        writer.header("[admin]")
        writer.text("address", AddressText.text(of: admin.address))
        writer.text("token_file", admin.tokenFile ?? "")
        writer.header("[affinity]")
        writer.text("keys", keysFile)
        for (key, value) in affinity.entries(forGroup: true) { writer.value(key, value) }
        for group in groups { write(group, showsEnvironment, &writer) }
        writer.header("[routes]")
        for route in routes { write(route, &writer) }
        return writer.text
    }

    private func write(_ timeouts: Timeouts, _ writer: inout TOMLWriter) {
        writer.header("[timeouts]")
        writer.duration("header", timeouts.header)
        writer.duration("body_idle", timeouts.bodyIdle)
        writer.duration("keepalive", timeouts.keepalive)
        writer.duration("connect", timeouts.connect)
        writer.duration("response", timeouts.response)
        writer.duration("idle", timeouts.idle)
        writer.duration("drain", timeouts.drain)
    }

    private func write(_ limits: Limits, _ writer: inout TOMLWriter) {
        writer.header("[limits]")
        writer.text("request_head", SizeText.text(of: limits.requestHead))
        writer.text("request_body", SizeText.text(of: limits.requestBody))
        writer.value("connections", "\(limits.connections)")
    }

    private func write(_ log: Log, _ writer: inout TOMLWriter) {
        writer.header("[log]")
        writer.text("level", log.level.rawValue)
        writer.text("format", log.format.rawValue)
        switch log.access {
        case .standardError: writer.text("access", "stderr")
        case .off: writer.text("access", "off")
        case .file(let path): writer.text("access", path)
        }
    }

    private func write(_ route: RouteSettings, _ writer: inout TOMLWriter) {
        let affinity = route.affinity.entries(forGroup: false)
            .map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
        let group = TOMLText.quoted(groups[route.group].name)
        writer.value(
            TOMLText.quoted(route.pattern.host + route.pattern.prefix),
            "{ group = \(group), strip_prefix = \(route.stripPrefix), affinity = { \(affinity) } }")
    }
}

/// Groups.
extension Configuration {
    private func write(_ group: Group, _ showsEnvironment: Bool, _ writer: inout TOMLWriter) {
        let policy = group.policy
        writer.header("[group.\(group.name)]")
        if let launch = group.launch { write(launch, policy, &writer) }
        if case .external(let servers) = policy.kind {
            let items = servers.map { server in
                let address = TOMLText.quoted(AddressText.text(of: server.address))
                return "{ address = \(address), weight = \(server.weight) }"
            }
            writer.value("servers", "[\(items.joined(separator: ", "))]")
        }
        writer.value("threads", "\(policy.threads)")
        writer.value("sessions_per_process", "\(policy.sessionsPerProcess)")
        writer.text("placement", policy.placement.rawValue)
        writer.value("queue", "\(policy.queueLimit)")
        writer.value("process_queue", "\(policy.processQueueLimit)")
        writer.duration("queue_timeout", policy.queueTimeout)
        writer.value("retries", "\(group.retries)")
        writer.value("keepalive", "\(group.keepalive)")
        if let launch = group.launch, !launch.environment.isEmpty {
            writer.header("[group.\(group.name).env]")
            for (name, value) in launch.environment.sorted(by: { $0.key < $1.key }) {
                writer.text(name, showsEnvironment ? value : "***")
            }
        }
        writer.header("[group.\(group.name).affinity]")
        for (key, value) in group.affinity.entries(forGroup: true) { writer.value(key, value) }
    }

    private func write(_ launch: Launch, _ policy: GroupPolicy, _ writer: inout TOMLWriter) {
        switch launch.application {
        case .wsgi(let application, let server, let python):
            writer.text("wsgi", application)
            writer.text("server", server.rawValue)
            writer.text("python", python)
        case .command(let words):
            writer.value("command", TOMLText.list(words))
        }
        if !launch.processesGiven {
            writer.comment("processes = 1, not given: the application is told that it is alone")
        } else if policy.minimum == policy.maximum {
            writer.value("processes", "\(policy.minimum)")
        } else {
            writer.value("processes", "{ min = \(policy.minimum), max = \(policy.maximum) }")
        }
        writer.duration("idle_timeout", policy.idleTimeout)
        writer.duration("start_timeout", policy.startTimeout)
        writer.duration("stop_timeout", policy.stopTimeout)
        writer.text("cwd", launch.directory)
        writer.value("pass_env", TOMLText.list(launch.passEnvironment))
    }
}

extension Configuration.Affinity {
    /// The keys with their values as TOML; `idle` and `on_lost` belong to groups.
    fileprivate func entries(forGroup: Bool) -> [(key: String, value: String)] {
        var entries = [
            (key: "pin", value: TOMLText.quoted(pin.rawValue)),
            ("learn", TOMLText.list(learn)),
            ("cookie", TOMLText.quoted(cookie.name)),
            ("max_age", TOMLText.quoted(DurationText.text(of: maxAge))),
            ("same_site", TOMLText.quoted(cookie.sameSite.rawValue)),
            ("secure", TOMLText.quoted(cookie.secure.rawValue)),
            ("http_only", "\(cookie.httpOnly)"),
            ("partitioned", "\(cookie.partitioned)"),
            ("domain", TOMLText.quoted(cookie.domain)),
            ("forward_cookie", "\(forwardCookie)"),
        ]
        if forGroup {
            entries += [
                ("idle", TOMLText.quoted(DurationText.text(of: idle))),
                ("on_lost", TOMLText.quoted(onLost.rawValue)),
            ]
        }
        return entries
    }
}

/// Puts lines of TOML together.
private struct TOMLWriter {
    private(set) var text = ""

    mutating func comment(_ sentence: String) { text += "# \(sentence)\n" }
    mutating func header(_ header: String) { text += "\n\(header)\n" }
    mutating func value(_ key: String, _ value: String) { text += "\(key) = \(value)\n" }
    mutating func text(_ key: String, _ value: String) { self.value(key, TOMLText.quoted(value)) }
    mutating func duration(_ key: String, _ span: Interval) {
        text(key, DurationText.text(of: span))
    }
}
