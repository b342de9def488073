internal import Settings

extension Configuration.Launch {
    /// The keys of `[group.NAME]` that say how and as whom its processes are started.
    static let keys: [KeyRow<Configuration.Launch>] = [
        KeyRow(
            "cwd", type: "path", standard: "the folder of the configuration file",
            "The working directory of the processes.",
            launch: LaunchPart(3) { launch, _, hash in hash.add(launch.directory) },
            read: { launch, table, folders in
                let given = table.optionalText("cwd", example: "/srv/app")
                launch.directory = folders.path(given, table.problems) ?? launch.directory
            }, text: { .text($0.directory) }),
        KeyRow(
            "env", type: "table of texts", standard: "`{}`",
            """
            Variables added to a clean environment (`PATH`, `HOME`, `LANG`, `TZ` and those of \
            `pass_env`). `{socket}` and `{port}` are replaced. `mooring check --print` hides the \
            values.
            """,
            launch: LaunchPart(4) { _, environment, hash in hash.add(environment) },
            read: { launch, table, _ in launch.environment = EnvironmentReader.values(table) },
            text: { launch in
                launch.environment.isEmpty
                    ? nil : .table(entries(launch.environment, TOMLText.quoted), isSecret: true)
            }),
        KeyRow(
            "pass_env", type: "list of names", standard: "`[]`",
            "Variables that processes inherit from Mooring's own environment.",
            launch: .elsewhere,
            read: { launch, table, _ in launch.passEnvironment = EnvironmentReader.names(table) },
            text: { .list($0.passEnvironment) }),
        KeyRow(
            "user", type: "name or number", standard: "whom Mooring runs as",
            """
            The account that the processes run as. Required when Mooring runs as root, \
            unless `allow_root` is set.
            """,
            launch: LaunchPart(5) { launch, _, hash in
                hash.add([launch.isolation.user ?? "", launch.isolation.group ?? ""])
            },
            read: { launch, table, _ in
                let user = table.account("user")
                launch.isolation.user = user?.value
                if let user {
                    launch.isolation.userLocation = table.problems.location(of: user.node)
                }
            }, text: { .text($0.isolation.user ?? "") }),
        KeyRow(
            .boolean(
                "allow_root", \.isolation.allowRoot,
                "Whether the processes may run as root if Mooring does.")),
        KeyRow(
            "group", type: "name or number", standard: "the user's own",
            "The group that the processes run as.", launch: .elsewhere,
            read: { launch, table, _ in
                launch.isolation.group = table.account("group")?.value
            }, text: { .text($0.isolation.group ?? "") }),
        KeyRow(
            "groups", type: "list of names or numbers", standard: "`[]`",
            "Supplementary groups in addition to those of `user`.",
            launch: LaunchPart(6) { launch, _, hash in
                hash.add(launch.isolation.supplementaryGroups)
            },
            read: { launch, table, _ in
                launch.isolation.supplementaryGroups =
                    (table.accounts("groups", example: "media") ?? []).map(\.value)
            }, text: { .list($0.isolation.supplementaryGroups) }),
        KeyRow(
            "umask", type: "octal number, as text",
            "The umask of the processes.",
            launch: LaunchPart(7) { launch, _, hash in
                hash.add(String(launch.isolation.umask, radix: 8))
            },
            read: { launch, table, _ in
                launch.isolation.umask = IsolationReader.umask(table) ?? launch.isolation.umask
            },
            text: { launch in
                let umask = String(launch.isolation.umask, radix: 8)
                return .text(String(repeating: "0", count: max(0, 3 - umask.count)) + umask)
            }),
        KeyRow(
            "rlimits", type: "table", standard: "`{}`",
            """
            Limits of each process by resource, as in setrlimit(2): numbers, sizes or \
            `"unlimited"`, such as `{ nofile = 4096, as = "2GiB" }`.
            """,
            launch: LaunchPart(8) { launch, _, hash in
                hash.add(launch.isolation.limits.mapValues(\.word))
            },
            read: { launch, table, _ in
                launch.isolation.limits = IsolationReader.limits(table)
            },
            text: { launch in
                let limits = launch.isolation.limits
                return limits.isEmpty
                    ? nil
                    : .table(
                        entries(limits) { limit in
                            limit == .unlimited ? TOMLText.quoted(limit.word) : limit.word
                        })
            }),
        KeyRow(
            .word(
                "on_exit", \.onExit, among: OnExit.allCases,
                """
                What happens to the processes if Mooring ends unexpectedly: the next Mooring \
                adopts them, or they are killed within a second.
                """),
            launch: LaunchPart(9) { launch, _, hash in hash.add(launch.onExit.rawValue) }),
    ]

    /// No launch part: the output is a pipe to Mooring, so a change does not affect how processes
    /// start.
    static let output = KeyRow<Configuration.Launch>(
        "output", type: "path", standard: "the log",
        """
        A file for the output of the processes, each line with time, process and stream. SIGUSR1 \
        reopens it.
        """,
        read: { launch, table, folders in
            let given = table.optionalText("output", example: "logs/app.log")
            launch.outputFile = folders.path(given, table.problems)
        }, text: { .text($0.outputFile ?? "") })

    private static func entries<Value>(
        _ table: [String: Value], _ text: (Value) -> String
    ) -> [KeyEntry] {
        table.sorted { $0.key < $1.key }.map { KeyEntry(name: $0.key, value: text($0.value)) }
    }
}

extension Configuration.Isolation.Limit {
    fileprivate var word: String {
        switch self {
        case .unlimited: "unlimited"
        case .atMost(let most): "\(most)"
        }
    }
}
