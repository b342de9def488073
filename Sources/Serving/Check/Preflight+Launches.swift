internal import Backends
internal import ConfigFile
internal import Supervision

/// The processes of the groups.
extension Preflight {
    /// The keys that determine the user of a process.
    private static let accountKeys = ["user", "group", "groups", "allow_root"]
    /// Descriptors of a process in addition to those of its requests.
    private static let ownFiles = 16

    mutating func checkLaunches() {
        for group in configuration.groups {
            guard let launch = group.launch else { continue }
            let table = ["group", group.name]
            checkOutput(launch, table)
            if isKnown(table, Self.accountKeys) {
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

    /// Checks the files that a launch names, regardless of its user.
    mutating func checkFiles(
        of launch: Configuration.Launch, of group: Configuration.Group, _ table: [String]
    ) {
        var launch = launch
        launch.isolation = .init()
        guard
            let spec = try? ServingPlan.spec(
                launch, of: group, hostFile: "", environment: environment)
        else { return }
        let application = Self.application(of: launch)
        report(
            LaunchCheck.faultsOfFiles(of: spec, serving: application), table,
            key: Self.key(of: launch))
    }

    /// Records faults, except for those that only follow from known ones.
    ///
    /// - Parameter key: names the Python application; nil: it is a command.
    private mutating func report(_ faults: [LaunchFault], _ table: [String], key: String?) {
        for fault in faults {
            if isKnown(table, Self.causes(of: fault.subject, key: key)) { continue }
            let path = table + Self.path(of: fault.subject, key: key)
            if fault.isWarning {
                warn(path, fault.sentence)
            } else {
                report(path, fault.sentence)
            }
        }
    }

    /// The keys that a fault may follow from.
    private static func causes(of subject: LaunchFault.Subject, key: String?) -> [String] {
        // If the folder of an application is unknown, so is what is on its path.
        let place = ["cwd", "env", "pass_env"]
        switch subject {
        case .directory: return ["cwd"]
        case .program:
            return (key == nil ? ["wsgi", "asgi", "command", "servers"] : ["python"]) + place
        case .user: return accountKeys
        case .limit: return ["rlimits"]
        case .application: return ["wsgi", "asgi", "python"] + place
        case .server: return ["server", "python"] + place
        case .environment: return ["env", "pass_env", "command"]
        }
    }

    private static func application(
        of launch: Configuration.Launch
    ) -> LaunchCheck.Application? {
        guard case .hosted(let application) = launch.application else { return nil }
        return LaunchCheck.Application(application)
    }

    /// The key that names a Python application; nil: it is a command.
    private static func key(of launch: Configuration.Launch) -> String? {
        guard case .hosted(let application) = launch.application else { return nil }
        return application.interface.rawValue
    }

    private mutating func checkLaunch(
        _ launch: Configuration.Launch, of group: Configuration.Group, _ table: [String]
    ) {
        let spec: LaunchSpec
        do throws(Problem) {
            spec = try ServingPlan.spec(launch, of: group, hostFile: "", environment: environment)
        } catch {
            // The line may belong to another key.
            report(error.key.split(separator: ".").map(String.init), error.message)
            return checkFiles(of: launch, of: group, table)
        }
        let application = Self.application(of: launch)
        report(
            LaunchCheck.faults(of: spec, serving: application), table, key: Self.key(of: launch))
        checkOpenFiles(launch, of: group, table)
    }

    private static func path(of subject: LaunchFault.Subject, key: String?) -> [String] {
        switch subject {
        case .directory: ["cwd"]
        case .program: [key == nil ? "command" : "python"]
        case .user: ["user"]
        case .limit(let name): ["rlimits"] + (name.map { [$0] } ?? [])
        case .application: [key ?? "wsgi"]
        case .server: ["server"]
        case .environment: ["env"]
        }
    }

    /// Each request is a connection, which needs a descriptor.
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
