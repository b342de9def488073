internal import Settings

extension Timeouts {
    init(_ table: TableReader) {
        self.init()
        header = table.duration("header") ?? header
        bodyIdle = table.duration("body_idle") ?? bodyIdle
        keepalive = table.duration("keepalive") ?? keepalive
        connect = table.duration("connect") ?? connect
        route.response = table.duration("response") ?? route.response
        route.idle = table.duration("idle") ?? route.idle
        route.tunnel = table.duration("tunnel") ?? route.tunnel
        drain = table.duration("drain", atLeast: .zero) ?? drain
        table.finish()
    }
}

extension Limits {
    init(_ table: TableReader) {
        self.init()
        requestHead = table.size("request_head", in: 1024...64 * 1024) ?? requestHead
        requestBody = table.size("request_body", in: 0...1 << 50) ?? requestBody
        requestBuffer = table.size("request_buffer", in: 0...1 << 30) ?? requestBuffer
        responseBuffer = table.size("response_buffer", in: 0...1 << 30) ?? responseBuffer
        spawnsPerSource = table.integer("spawns_per_source", in: 0...100_000) ?? spawnsPerSource
        minRate = table.integer("min_rate", in: 0...1_000_000_000) ?? minRate
        connections = table.integer("connections", in: 1...1_000_000) ?? connections
        bufferMemory = table.sizeOrAuto("buffer_memory", in: 1 << 20...1 << 50)
        table.finish()
    }
}

extension LogSettings {
    init(_ table: TableReader, _ folders: Folders) {
        self.init()
        level = table.choice("level", among: LogLevel.allCases) ?? level
        format = table.choice("format", among: LogFormat.configurable) ?? format
        access.destination = Self.destination(table, folders) ?? access.destination
        // A reader of JSON logs cannot parse any other line.
        access.format =
            table.choice("access_format", among: AccessLogSettings.Format.allCases)
            ?? (format == .json ? .json : access.format)
        table.finish()
    }

    private static func destination(
        _ table: TableReader, _ folders: Folders
    ) -> AccessLogSettings.Destination? {
        guard let given = table.text("access", example: "stderr") else { return nil }
        switch given.value {
        case "stderr": return .standardError
        case "off": return .off
        case "stdout", "-", "none", "syslog":
            table.problems.add(
                given.node, "is \(given.node.kind)", "needs \"stderr\", \"off\" or a file")
            return nil
        default:
            if given.value.hasSuffix("/") {
                table.problems.add(
                    given.node, "is \(given.node.kind), a folder", "needs a file's path")
            }
            return folders.path(given, table.problems).map { .file(path: $0) }
        }
    }
}
