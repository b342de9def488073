internal import Backends
internal import Settings

extension Configuration.Group {
    /// The keys of `[group.NAME]`.
    static let keys: [KeyRow<Configuration.Group>] =
        application + protocols + processes + placement + queues + times + responses + recycling
        + Configuration.Launch.keys.map { $0.ofProcesses(\.launch) } + connections

    /// The keys that say what a group is; `GroupReader` takes these before all others.
    private static let application: [KeyRow<Configuration.Group>] = [
        KeyRow(
            "wsgi", type: "file, or `module:name`", standard: "",
            """
            A WSGI application: a file that defines `application`, or `module:name`; or \
            `config:FILE.ini#SECTION` of Paste Deploy. A group has exactly one of `wsgi`, \
            `asgi`, `command` and `servers`.
            """,
            launch: LaunchPart(0) { group, _, hash in group.addHosted(.wsgi, to: &hash) },
            text: { group in group.hosted(.wsgi).map { .text($0.name) } }),
        KeyRow(
            "asgi", type: "file, or `module:name`", standard: "",
            """
            An ASGI application, such as FastAPI's, Starlette's or Django's `mysite.asgi`, named \
            like one of WSGI. Its lifespan begins before the process is ready; a start whose \
            lifespan fails has failed.
            """,
            launch: LaunchPart(0) { group, _, hash in group.addHosted(.asgi, to: &hash) },
            text: { group in group.hosted(.asgi).map { .text($0.name) } }),
        KeyRow(
            "server", type: choices(Configuration.Server.allCases), standard: "`\"auto\"`",
            """
            The server that runs the application. `"auto"`: the first that is installed, for \
            `wsgi` of granian, gunicorn and waitress, else the standard library's server \
            (`"wsgiref"`), for `asgi` of uvicorn, granian and hypercorn.
            """,
            launch: .elsewhere, text: { group in group.hosted().map { .text($0.server.rawValue) } }),
        KeyRow(
            "python", type: "program", standard: "`\"python3\"`",
            "The interpreter of the application, such as `.venv/bin/python`.",
            launch: .elsewhere, text: { group in group.hosted().map { .text($0.python) } }),
        KeyRow(
            "command", type: "list: program and arguments", standard: "",
            """
            A program that serves HTTP. `{socket}` or `{port}` is replaced by the address that \
            it must listen on, `{threads}`, `{group}` and `{process}` by those values; with \
            neither of the first two, the program finds `MOORING_SOCKET` and `PORT` in its \
            environment.
            """,
            launch: LaunchPart(0) { group, _, hash in
                if case .command(let words) = group.launch?.application {
                    hash.add("command")
                    hash.add(words)
                }
            },
            text: { group in
                if case .command(let words) = group.launch?.application {
                    .list(words)
                } else {
                    nil
                }
            }),
        KeyRow(
            "servers", type: "list of 1 to 1000 addresses or tables", standard: "",
            """
            Servers that Mooring balances to but does not start: `host:port`, `unix:/path`, \
            `https://host:port`, or a table (see below).
            """,
            text: { group in
                guard group.launch == nil else { return nil }
                let items = group.servers.map(ServersReader.text)
                return .value("[\(items.joined(separator: ", "))]")
            }),
    ]

    private static let protocols: [KeyRow<Configuration.Group>] = [
        KeyRow(
            "protocol", type: choices(UpstreamProtocol.allCases), standard: "`\"http\"`",
            """
            How the processes are spoken to. With `"fastcgi"`, a `command` that names neither \
            `{socket}` nor `{port}` finds its listening socket as descriptor 0, as `php-cgi` \
            wants it. A body that comes without a length and does not fit \
            `limits.request_buffer` is sent without one, and PHP reads none of it.
            """,
            launch: LaunchPart(10) { group, _, hash in
                if group.upstreamProtocol != .http { hash.add(group.upstreamProtocol.rawValue) }
            }, text: { .text($0.upstreamProtocol.rawValue) }),
        KeyRow(
            "fastcgi", type: "table", standard: "`{}`",
            "Where the scripts are, and which parameters their processes receive; see below.",
            read: { group, table, folders in
                if let own = table.table("fastcgi") { group.fastCGI = .init(own, folders) }
            },
            text: { group in
                guard group.upstreamProtocol == .fastcgi else { return nil }
                return .table(KeyRow.entries(FastCGIPolicy.rows, of: group.fastCGI))
            }),
    ]

    private static let processes: [KeyRow<Configuration.Group>] = [
        KeyRow(
            "processes", type: "number, 1 to 10000, or `{ min, max, spare }`", standard: "`1`",
            """
            How many processes the group has. Those between `min` (0 if not given) and `max` are \
            transient: started when requests wait, stopped when idle; `spare` idle ones are kept \
            ready. If the key is set, the application sees `wsgi.multiprocess` as true, even \
            with 1.
            """,
            launch: LaunchPart(2) { group, _, hash in
                hash.add(group.launch?.processesGiven == true ? "multiprocess" : "single")
            }, read: { group, table, _ in GroupReader.readProcesses(table, &group) },
            text: \.processesText
        ).ofProcesses(),
        KeyRow(
            .integer(
                "threads", \.policy.threads, in: 1...100_000,
                """
                Concurrent requests per process. Set it to what the application can process at \
                the same time: a program that handles one request after the other needs 1.
                """),
            standard: "`100`; `15` for `wsgi`, `1` for `php-cgi`",
            launch: LaunchPart(1) { group, _, hash in hash.add("\(group.policy.threads)") }),
    ]

    private static let placement: [KeyRow<Configuration.Group>] = [
        KeyRow(
            .integer(
                "sessions_per_process", \.policy.sessionsPerProcess, in: 0...1_000_000,
                """
                Sessions that one process may hold; 1: a dedicated process for every session. 0: \
                no limit.
                """)
        ),
        KeyRow(
            .word(
                "placement", \.policy.placement, among: GroupPolicy.Placement.allCases,
                """
                Where new sessions go: evenly to all processes (`"spread"`), to the fullest one \
                with room so that others become idle (`"pack"`), or spread over permanent and \
                packed on transient processes (`"auto"`).
                """)
        ),
    ]

    private static let queues: [KeyRow<Configuration.Group>] = [
        KeyRow(
            .integer(
                "queue", \.policy.queueLimit, in: 0...1_000_000,
                "Requests that may wait for any process of the group; any more are answered 503.")),
        KeyRow(
            .integer(
                "process_queue", \.policy.processQueueLimit, in: 0...100_000,
                """
                Requests that may wait for the process of their session; the queue is served \
                round-robin by session.
                """)
        ),
        KeyRow(
            .duration(
                "queue_timeout", \.policy.queueTimeout,
                "The longest wait in either queue, after which the client gets 503.")),
    ]

    private static let times: [KeyRow<Configuration.Group>] = [
        KeyRow(
            .duration(
                "idle_timeout", \.policy.idleTimeout,
                """
                Mooring stops a transient process that has had no request and no living session \
                for this long. Raise it where a start is expensive.
                """)
        ).ofProcesses(),
        KeyRow(
            .duration(
                "start_timeout", \.policy.startTimeout,
                """
                How long a process may take from its start until it is ready; then it is killed \
                and the start has failed.
                """)
        ).ofProcesses(),
        KeyRow(
            .duration(
                "stop_timeout", \.policy.stopTimeout,
                "Time between SIGTERM and SIGKILL when a process is stopped.")
        ).ofProcesses(),
        KeyRow(
            .duration(
                "drain_timeout", \.policy.drainTimeout, atLeast: .zero,
                """
                How long sessions may stay on a draining process; then they start over on \
                another one.
                """)
        ),
        KeyRow(
            .integer(
                "draining_max", \.policy.drainingMaximum, in: 0...10_000,
                "How many processes may drain at once before recycling waits. 0: as many as `max`.")
        ).ofProcesses(),
        KeyRow(
            .boolean(
                "tunnel_slots", \.policy.tunnelSlots,
                """
                Whether an open WebSocket keeps one of the process's `threads`. Set it where \
                each WebSocket occupies a thread of the application.
                """)
        ),
    ]

    private static let responses: [KeyRow<Configuration.Group>] = [
        Configuration.Launch.output.ofProcesses(\.launch),
        KeyRow(
            "timeouts", type: "`{ response, idle, tunnel }`", standard: "those of `[timeouts]`",
            "Overrides `[timeouts]` for this group.",
            read: { group, table, folders in
                if let own = table.table("timeouts") {
                    group.timeouts = RouteTimeouts(own, over: group.timeouts, folders)
                }
            }, text: { .inline(KeyRow.entries(RouteTimeouts.rows, of: $0.timeouts)) }),
        KeyRow(
            "errors", type: "`{ STATUS = path }`", standard: "`{}`",
            """
            Error pages for the statuses that Mooring generates itself: 408, 413, 429, 431, 502, \
            503 and 504. Up to 16 KiB of HTML each, read at startup and at a reload.
            """,
            read: { group, table, folders in
                group.errors = ErrorsReader(folders: folders).read(table)
            }, text: { .inline(ErrorsReader.entries($0.errors)) }),
        KeyRow(
            "health", type: "table", standard: "none",
            "Health checks of processes and servers, see below.",
            read: { group, table, folders in
                group.health = GroupReader.health(
                    table, connects: group.launch == nil, folders)
            },
            text: { $0.health.map { .table(KeyRow.entries(HealthPolicy.rows, of: $0)) } }),
    ]

    private static let recycling: [KeyRow<Configuration.Group>] = [
        KeyRow(
            .integer(
                "max_requests", \.policy.maxRequests, in: 0...1_000_000_000,
                """
                A process is replaced after this many requests, give or take a tenth; the \
                replacement is ready before the old one drains. 0: never.
                """)
        ).ofProcesses(),
        KeyRow(
            .duration(
                "max_age", orNone: \.policy.maxAge,
                "A process is replaced at this age, give or take a tenth. `\"0\"`: never.")
        ).ofProcesses(),
        KeyRow(
            .size(
                "max_memory", \Configuration.Launch.maxMemory, in: 0...1 << 50,
                """
                A process that uses more memory than this (PSS, including its child processes) \
                is replaced. `"0"`: no limit.
                """)
        ).ofProcesses(\.launch),
        KeyRow(
            .duration(
                "request_timeout", orNone: \.requestTimeout,
                """
                A request that runs longer is answered 504, and its process is replaced, since \
                one of its threads may hang. `"0"`: no limit.
                """)
        ),
        KeyRow(
            .integer(
                "retries", \.retries, in: 0...10,
                """
                How often a request is retried on another process, if it cannot have had any \
                effect yet.
                """)
        ),
    ]

    private static let connections: [KeyRow<Configuration.Group>] = [
        KeyRow(
            "host_header", type: "host name", standard: "the client's",
            """
            Sent as `Host` instead of the client's, which `X-Forwarded-Host` still tells: for \
            servers that answer to their own name only. Redirects and links that the application \
            makes of `Host` then lead there.
            """,
            read: { group, table, _ in
                guard let given = table.optionalText("host_header", example: "app.internal")
                else { return }
                HostField.check(given, table.problems)
                group.hostHeader = given.value
            }, text: { $0.hostHeader.isEmpty ? nil : .text($0.hostHeader) }),
        KeyRow(
            .duration(
                "slow_start", \.policy.slowStart, atLeast: .zero,
                """
                A server that is new or comes back begins with a small share of new sessions and \
                of its `threads`, which grows to the whole over this time. `"0"`: it gets the \
                whole at once. For `servers` only.
                """)
        ).ofServers(),
        KeyRow(
            .boolean(
                "keepalive", \.keepalive,
                """
                Whether connections to the processes stay open between requests. Use `false` for \
                programs that serve one connection at a time.
                """)
        ),
        KeyRow(
            "affinity", type: "table", standard: "that of `[affinity]`",
            "Overrides `[affinity]` for this group.",
            read: { group, table, folders in
                if let own = table.table("affinity") {
                    group.affinity = .init(own, over: group.affinity, at: .group, folders)
                }
            }, text: { .table($0.affinity.entries(at: .group)) }),
    ]

    private static func choices<Choice: RawRepresentable<String>>(_ all: [Choice]) -> String {
        all.map { "`\(TOMLText.quoted($0.rawValue))`" }.joined(separator: ", ")
    }

    /// The Python application, if it has that interface; nil: any.
    private func hosted(
        _ interface: Configuration.Interface? = nil
    ) -> Configuration.HostedApplication? {
        guard case .hosted(let application) = launch?.application,
            interface == nil || interface == application.interface
        else { return nil }
        return application
    }

    private func addHosted(_ interface: Configuration.Interface, to hash: inout StableHash) {
        guard let application = hosted(interface) else { return }
        hash.add([
            interface.rawValue, application.name, application.server.rawValue, application.python,
        ])
    }

    private var processesText: KeyText? {
        guard launch?.processesGiven == true else {
            return .comment(
                "processes = 1, not given: wsgi.multiprocess is false")
        }
        if policy.minimum == policy.maximum { return .value("\(policy.minimum)") }
        return .inline([
            KeyEntry(name: "min", value: "\(policy.minimum)"),
            KeyEntry(name: "max", value: "\(policy.maximum)"),
            KeyEntry(name: "spare", value: "\(policy.spare)"),
        ])
    }
}
