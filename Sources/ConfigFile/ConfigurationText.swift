internal import Backends
internal import Routing
internal import SessionAffinity
internal import Settings

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
        writer.value("spawn_concurrency", "\(spawnConcurrency)")
        writer.value("max_processes", "\(maxProcesses)")
        for listener in listeners { write(listener, &writer) }
        write(timeouts, &writer)
        write(limits, &writer)
        write(log, &writer)
        writer.header("[admin]")
        writer.text("address", admin.address.text)
        writer.text("token_file", admin.tokenFile ?? "")
        writer.text("read_token_file", admin.readTokenFile ?? "")
        writer.value("metrics_open", "\(admin.metricsOpen)")
        writer.header("[affinity]")
        writer.text("keys", keysFile)
        for (key, value) in affinity.entries(forGroup: true) { writer.value(key, value) }
        for group in groups { write(group, showsEnvironment, &writer) }
        writer.header("[routes]")
        for route in routes { write(route, &writer) }
        return writer.text
    }

    private func write(_ listener: Listener, _ writer: inout TOMLWriter) {
        writer.header("[[listen]]")
        writer.text("address", listener.text)
        writer.value("http2", "\(listener.http2)")
        writer.value("proxy_protocol", "\(listener.proxyProtocol)")
        writer.value("trusted_proxies", TOMLText.list(listener.trustedProxies))
        writer.text("redirect", listener.redirectsToHTTPS ? "https" : "")
        writer.value("headers", Self.text(of: listener.headers))
        writer.value("request_id", "\(listener.requestID)")
        writer.value("traceparent", "\(listener.traceparent)")
        if let authority = listener.clientAuthority { writer.text("client_ca", authority) }
        for entry in listener.certificates {
            writer.header("[[listen.tls]]")
            writer.text("certificate", entry.certificate)
            writer.text("key", entry.key)
        }
    }

    private func write(_ timeouts: Timeouts, _ writer: inout TOMLWriter) {
        writer.header("[timeouts]")
        writer.duration("header", timeouts.header)
        writer.duration("body_idle", timeouts.bodyIdle)
        writer.duration("keepalive", timeouts.keepalive)
        writer.duration("connect", timeouts.connect)
        writer.duration("response", timeouts.route.response)
        writer.duration("idle", timeouts.route.idle)
        writer.duration("tunnel", timeouts.route.tunnel)
        writer.duration("drain", timeouts.drain)
    }

    private func write(_ limits: Limits, _ writer: inout TOMLWriter) {
        writer.header("[limits]")
        writer.text("request_head", SizeText.text(of: limits.requestHead))
        writer.text("request_body", SizeText.text(of: limits.requestBody))
        writer.text("request_buffer", SizeText.text(of: limits.requestBuffer))
        writer.text("response_buffer", SizeText.text(of: limits.responseBuffer))
        writer.value("spawns_per_source", "\(limits.spawnsPerSource)")
        writer.value("min_rate", "\(limits.minRate)")
        writer.value("connections", "\(limits.connections)")
        writer.text("buffer_memory", limits.bufferMemory.map(SizeText.text) ?? "auto")
    }

    private func write(_ log: LogSettings, _ writer: inout TOMLWriter) {
        writer.header("[log]")
        writer.text("level", log.level.rawValue)
        writer.text("format", log.format.rawValue)
        switch log.access.destination {
        case .standardError: writer.text("access", "stderr")
        case .off: writer.text("access", "off")
        case .file(let path): writer.text("access", path)
        }
        writer.text("access_format", log.access.format.rawValue)
    }

    private func write(_ route: RouteSettings, _ writer: inout TOMLWriter) {
        let affinity = route.affinity.entries(forGroup: false)
            .map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
        let group = TOMLText.quoted(groups[route.group].name)
        writer.value(
            TOMLText.quoted(route.pattern.host + route.pattern.prefix),
            "{ group = \(group), strip_prefix = \(route.stripPrefix), affinity = { \(affinity) },"
                + " timeouts = \(route.timeouts.tomlText),"
                + " headers = \(Self.text(of: route.headers)),"
                + " errors = \(Self.text(of: route.errors)) }")
    }

    private static func text(of headers: [Field]) -> String {
        table(headers.map { "\(TOMLText.key($0.name)) = \(TOMLText.quoted($0.value))" })
    }

    private static func text(of errors: [ErrorFile]) -> String {
        table(errors.map { "\($0.status) = \(TOMLText.quoted($0.path))" })
    }

    private static func table(_ entries: [String]) -> String {
        entries.isEmpty ? "{}" : "{ \(entries.joined(separator: ", ")) }"
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
                Self.text(of: server, group.secureServers.first { $0.address == server.address })
            }
            writer.value("servers", "[\(items.joined(separator: ", "))]")
        }
        writer.value("threads", "\(policy.threads)")
        writer.value("sessions_per_process", "\(policy.sessionsPerProcess)")
        writer.text("placement", policy.placement.rawValue)
        writer.value("queue", "\(policy.queueLimit)")
        writer.value("process_queue", "\(policy.processQueueLimit)")
        writer.duration("queue_timeout", policy.queueTimeout)
        writer.duration("drain_timeout", policy.drainTimeout)
        writer.value("tunnel_slots", "\(policy.tunnelSlots)")
        writer.duration("request_timeout", group.requestTimeout ?? .zero)
        writer.value("retries", "\(group.retries)")
        writer.value("keepalive", "\(group.keepalive)")
        writer.value("timeouts", group.timeouts.tomlText)
        writer.value("errors", Self.text(of: group.errors))
        if let launch = group.launch, !launch.isolation.limits.isEmpty {
            writer.header("[group.\(group.name).rlimits]")
            for (name, value) in launch.isolation.limits.sorted(by: { $0.key < $1.key }) {
                switch value {
                case .unlimited: writer.text(name, "unlimited")
                case .atMost(let most): writer.value(name, "\(most)")
                }
            }
        }
        if let health = group.health { write(health, of: group.name, &writer) }
        if let launch = group.launch, !launch.environment.isEmpty {
            writer.header("[group.\(group.name).env]")
            for (name, value) in launch.environment.sorted(by: { $0.key < $1.key }) {
                writer.text(name, showsEnvironment ? value : "***")
            }
        }
        writer.header("[group.\(group.name).affinity]")
        for (key, value) in group.affinity.entries(forGroup: true) { writer.value(key, value) }
    }

    private static func text(
        of server: GroupPolicy.ExternalServer, _ secure: SecureServer?
    ) -> String {
        let address = (secure == nil ? "" : "https://") + server.address.text
        var text = "{ address = \(TOMLText.quoted(address)), weight = \(server.weight)"
        if let secure {
            text += ", server_name = \(TOMLText.quoted(secure.name)), verify = \(secure.verifies)"
            text += ", ca = \(TOMLText.quoted(secure.authority ?? ""))"
        }
        return text + " }"
    }

    private func write(_ health: HealthPolicy, of group: String, _ writer: inout TOMLWriter) {
        writer.header("[group.\(group).health]")
        writer.text("path", health.path)
        writer.duration("interval", health.interval)
        writer.duration("timeout", health.timeout)
        writer.value("rise", "\(health.rise)")
        writer.value("fall", "\(health.fall)")
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
            writer.value(
                "processes",
                "{ min = \(policy.minimum), max = \(policy.maximum), spare = \(policy.spare) }")
        }
        writer.duration("idle_timeout", policy.idleTimeout)
        writer.duration("start_timeout", policy.startTimeout)
        writer.duration("stop_timeout", policy.stopTimeout)
        writer.text("cwd", launch.directory)
        writer.value("pass_env", TOMLText.list(launch.passEnvironment))
        writer.value("draining_max", "\(policy.drainingMaximum)")
        writer.value("max_requests", "\(policy.maxRequests)")
        writer.duration("max_age", policy.maxAge ?? .zero)
        writer.text("max_memory", SizeText.text(of: launch.maxMemory))
        writer.text("on_exit", launch.onExit.rawValue)
        writer.text("output", launch.outputFile ?? "")
        write(launch.isolation, &writer)
    }
}

extension Configuration {
    private func write(_ isolation: Isolation, _ writer: inout TOMLWriter) {
        writer.text("user", isolation.user ?? "")
        writer.text("group", isolation.group ?? "")
        writer.value("groups", TOMLText.list(isolation.supplementaryGroups))
        writer.value("allow_root", "\(isolation.allowRoot)")
        let umask = String(isolation.umask, radix: 8)
        writer.text("umask", String(repeating: "0", count: max(0, 3 - umask.count)) + umask)
    }
}

extension Configuration.Affinity {
    /// The keys with their values as TOML; `idle`, `unconfirmed` and `on_lost` belong to groups.
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
                ("unconfirmed", TOMLText.quoted(DurationText.text(of: unconfirmed))),
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
