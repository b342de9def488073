internal import Backends
internal import ConfigFile
internal import Supervision

/// The processes of the groups.
extension Preflight {
    /// What the start of a process depends on.
    private static let launchKeys = [
        "wsgi", "command", "python", "server", "cwd", "user", "group", "groups", "allow_root",
        "env",
        "pass_env", "rlimits",
    ]
    /// What says where the files of a launch are.
    private static let fileKeys = ["wsgi", "command", "python", "cwd", "env", "pass_env"]
    /// Descriptors of a process besides those of its requests.
    private static let ownFiles = 16

    mutating func checkLaunches() {
        for group in configuration.groups {
            guard let launch = group.launch else { continue }
            let table = ["group", group.name]
            checkOutput(launch, table)
            if isKnown(table, Self.launchKeys) {
                checkFiles(of: launch, of: group, table)
            } else {
                checkLaunch(launch, of: group, table)
            }
        }
    }

    mutating func checkOutput(_ launch: Configuration.Launch, _ table: [String]) {
        if let file = launch.outputFile, !isKnown(table, ["output"]) {
            checkAppendable(file, table + ["output"])
        }
    }

    /// The files that a launch names, whoever its user is.
    mutating func checkFiles(
        of launch: Configuration.Launch, of group: Configuration.Group, _ table: [String]
    ) {
        if isKnown(table, Self.fileKeys) { return }
        var launch = launch
        launch.isolation = .init()
        guard
            let spec = try? ServingPlan.spec(
                launch, of: group, hostFile: "", environment: environment)
        else { return }
        let application = Self.application(of: launch)
        for fault in LaunchCheck.missingFiles(of: spec, serving: application) {
            report(
                table + Self.path(of: fault.subject, isWSGI: application != nil), fault.sentence)
        }
    }

    private static func application(
        of launch: Configuration.Launch
    ) -> LaunchCheck.Application? {
        guard case .wsgi(let name, let server, _) = launch.application else { return nil }
        return LaunchCheck.Application(name: name, server: server.rawValue)
    }

    private mutating func checkLaunch(
        _ launch: Configuration.Launch, of group: Configuration.Group, _ table: [String]
    ) {
        let spec: LaunchSpec
        do throws(Problem) {
            spec = try ServingPlan.spec(launch, of: group, hostFile: "", environment: environment)
        } catch {
            // Its key may be another than that whose line it has.
            report(error.key.split(separator: ".").map(String.init), error.message)
            return checkFiles(of: launch, of: group, table)
        }
        let application = Self.application(of: launch)
        for fault in LaunchCheck.faults(of: spec, serving: application) {
            let path = table + Self.path(of: fault.subject, isWSGI: application != nil)
            if fault.isWarning {
                warn(path, fault.sentence)
            } else {
                report(path, fault.sentence)
            }
        }
        checkOpenFiles(launch, of: group, table)
    }

    private static func path(of subject: LaunchFault.Subject, isWSGI: Bool) -> [String] {
        switch subject {
        case .directory: ["cwd"]
        case .program: [isWSGI ? "python" : "command"]
        case .user: ["user"]
        case .limit(let name): ["rlimits"] + (name.map { [$0] } ?? [])
        case .application: ["wsgi"]
        case .server: ["server"]
        case .environment: ["env"]
        }
    }

    /// Each request is a connection, which is a descriptor.
    private mutating func checkOpenFiles(
        _ launch: Configuration.Launch, of group: Configuration.Group, _ table: [String]
    ) {
        let threads = group.policy.threads
        var limit = OpenFiles.limitOfProcesses
        var path = table + ["threads"]
        if case .atMost(let most) = launch.isolation.limits["nofile"] {
            limit = Int(clamping: most)
            path = table + ["rlimits", "nofile"]
        } else if launch.isolation.limits["nofile"] != nil {
            return
        }
        if threads + Self.ownFiles <= limit { return }
        warn(
            path,
            "a process may open \(limit) files, too few for \(threads) requests at once; set"
                + " rlimits = { nofile = \(threads + 256) } or fewer threads")
    }
}
