package import Backends

extension Configuration {
    /// `[timeouts]`.
    package struct Timeouts: Equatable, Sendable {
        /// The whole request head, from its first byte.
        package var header = Interval.seconds(10)
        package var bodyIdle = Interval.seconds(30)
        package var keepalive = Interval.seconds(75)
        package var connect = Interval.seconds(5)
        /// First byte of the response head.
        package var response = Interval.seconds(60)
        /// Between response bytes.
        package var idle = Interval.seconds(60)
        /// WebSocket and other upgrades: no byte either way.
        package var tunnel = Interval.seconds(3600)
        /// At shutdown, for what is in flight; zero: nothing is waited for.
        package var drain = Interval.seconds(30)

        package init() {}

        init(_ table: TableReader) {
            let defaults = Timeouts()
            header = table.duration("header") ?? defaults.header
            bodyIdle = table.duration("body_idle") ?? defaults.bodyIdle
            keepalive = table.duration("keepalive") ?? defaults.keepalive
            connect = table.duration("connect") ?? defaults.connect
            response = table.duration("response") ?? defaults.response
            idle = table.duration("idle") ?? defaults.idle
            tunnel = table.duration("tunnel") ?? defaults.tunnel
            drain = table.duration("drain", atLeast: .zero) ?? defaults.drain
            table.finish()
        }
    }

    /// `[limits]`.
    package struct Limits: Equatable, Sendable {
        /// Bytes.
        package var requestHead = 32 * 1024
        /// Bytes; 0: no limit.
        package var requestBody = 0
        /// Bytes of a request body that are read before a slot is taken.
        package var requestBuffer = 64 * 1024
        /// Bytes of a response that are taken from a process whose client is slow.
        package var responseBuffer = 256 * 1024
        /// New processes that one client address may cause in a minute; 0: no limit.
        package var spawnsPerSource = 30
        /// Bytes per second that a client's head or body has to come with; 0: no floor.
        package var minRate = 240
        /// Client connections.
        package var connections = 10_000
        /// Bytes of all buffers together; nil: by the machine's memory.
        package var bufferMemory: Int?

        package init() {}

        init(_ table: TableReader) {
            let defaults = Limits()
            requestHead =
                table.size("request_head", in: 1024...64 * 1024) ?? defaults.requestHead
            requestBody = table.size("request_body", in: 0...1 << 50) ?? defaults.requestBody
            requestBuffer =
                table.size("request_buffer", in: 0...1 << 30) ?? defaults.requestBuffer
            responseBuffer =
                table.size("response_buffer", in: 0...1 << 30) ?? defaults.responseBuffer
            spawnsPerSource =
                table.integer("spawns_per_source", in: 0...100_000) ?? defaults.spawnsPerSource
            minRate = table.integer("min_rate", in: 0...1_000_000_000) ?? defaults.minRate
            connections = table.integer("connections", in: 1...1_000_000) ?? defaults.connections
            bufferMemory = table.sizeOrAuto("buffer_memory", in: 1 << 20...1 << 50)
            table.finish()
        }
    }

    /// `[log]`.
    package struct Log: Equatable, Sendable {
        /// What is logged: this and all that is graver.
        package enum Level: String, Equatable, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        /// How a log line looks.
        package enum Format: String, Equatable, Sendable, CaseIterable {
            case text, json
        }

        /// How a line of the access log looks.
        package enum AccessFormat: String, Equatable, Sendable, CaseIterable {
            /// With what was done for the session.
            case mooring
            /// Apache's.
            case combined
            case json
        }

        /// Where the access log goes.
        package enum Access: Equatable, Sendable {
            case standardError
            case off
            /// An absolute path.
            case file(String)
        }

        package var level = Level.info
        package var format = Format.text
        package var access = Access.standardError
        package var accessFormat = AccessFormat.mooring

        package init() {}

        init(_ table: TableReader, _ folders: Folders) {
            let defaults = Log()
            level = table.choice("level", among: Level.allCases) ?? defaults.level
            format = table.choice("format", among: Format.allCases) ?? defaults.format
            access = Self.access(table, folders) ?? defaults.access
            // Whoever wants a log of JSON can do nothing with other lines in it.
            accessFormat =
                table.choice("access_format", among: AccessFormat.allCases)
                ?? (format == .json ? .json : defaults.accessFormat)
            table.finish()
        }

        private static func access(_ table: TableReader, _ folders: Folders) -> Access? {
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
                return folders.path(given, table.problems).map { .file($0) }
            }
        }
    }

    /// `[admin]`.
    package struct Admin: Equatable, Sendable {
        package var address: ProcessAddress
        /// An absolute path; nil: no token is asked for.
        package var tokenFile: String?
        /// An absolute path; nil: no token is for reading alone.
        package var readTokenFile: String?
        /// `GET /metrics` takes no token.
        package var metricsOpen = false

        init(_ table: TableReader?, _ folders: Folders) {
            address = .unix(path: "\(folders.runtime)/admin.sock")
            guard let table else { return }
            let example = "unix:{runtime_dir}/admin.sock"
            let given = table.text("address", example: example)
            if let given, let address = Self.address(given, table, folders) {
                self.address = address
            }
            tokenFile = folders.path(
                table.optionalText("token_file", example: "admin.token"), table.problems)
            let readToken = table.optionalText("read_token_file", example: "read.token")
            readTokenFile = folders.path(readToken, table.problems)
            metricsOpen = table.boolean("metrics_open") ?? false
            if readToken != nil, tokenFile == nil {
                table.reportMissing(
                    ["token_file"], at: "read_token_file", "keeps nobody from changing anything",
                    "needs token_file beside it, for changes")
            } else if let readToken, readTokenFile == tokenFile {
                table.problems.add(
                    readToken.node, "is that of token_file, which opens everything",
                    "needs a file of its own")
            }
            // Also on 127.0.0.1: every local program, a process of any group too, can connect there.
            if case .tcp = address, tokenFile == nil, given != nil {
                table.reportMissing(
                    ["token_file"], at: "address",
                    "is a port, where any program could stop processes",
                    "needs token_file beside it: (umask 077; openssl rand -hex 32 > admin.token),"
                        + " then token_file = \"admin.token\"; or a unix socket")
            }
            table.finish()
        }

        private static func address(
            _ given: Located<String>, _ table: TableReader, _ folders: Folders
        ) -> ProcessAddress? {
            guard given.value.hasPrefix("unix:") else { return table.address(given) }
            let path = Located(
                value: String(given.value.dropFirst("unix:".count)), node: given.node)
            let isWhole = ["/", "{runtime_dir}/", "{state_dir}/"].contains(
                where: path.value.hasPrefix)
            guard isWhole, let resolved = folders.path(path, table.problems) else {
                table.problems.add(
                    given.node, "is \(given.node.kind)",
                    "needs a whole path, or unix:{runtime_dir}/NAME")
                return nil
            }
            return table.address(Located(value: "unix:\(resolved)", node: given.node))
        }
    }
}
