internal import ConfigFile
internal import Glibc
internal import Reactor
internal import Settings
internal import Supervision

/// The problems of a configuration on this machine: files, programs, users, addresses, limits.
///
/// Starts nothing and leaves nothing behind. It also examines an invalid configuration, so that
/// problems of every kind are reported together; consequences of known problems are left out.
struct Preflight {
    /// What would prevent the configuration from working.
    private(set) var problems: [Problem] = []
    /// Settings that may be intended, or may apply differently when the balancer starts.
    private(set) var warnings: [Problem] = []

    let configuration: Configuration
    /// Mooring's own environment, from which processes inherit the named variables.
    let environment: [String: String]
    /// The keys with known problems.
    private let known: Set<String>

    /// Runs all checks.
    ///
    /// - Parameter known: the problems of the file itself.
    init(_ configuration: Configuration, environment: [String: String], known: [Problem]) {
        self.configuration = configuration
        self.environment = environment
        self.known = Set(known.flatMap { [$0.key, $0.meant].compactMap(\.self) })
        checkSecurityFiles()
        checkLaunches()
        checkScripts()
        checkOwnFiles()
        checkAddresses()
        checkNames()
        checkLimits()
    }

    /// Only checks whether files, programs and folders of some groups exist; runs nothing.
    init(
        filesOf configuration: Configuration, in names: Set<String>, environment: [String: String]
    ) {
        self.configuration = configuration
        self.environment = environment
        known = []
        for group in configuration.groups where names.contains(group.name) {
            guard let launch = group.launch else { continue }
            checkOutput(launch, ["group", group.name])
            checkFiles(of: launch, of: group, ["group", group.name])
        }
    }

    /// Whether one of the keys has a known problem, so that its consequences are left out.
    func isKnown(_ table: [String], _ keys: [String]) -> Bool {
        let prefix = table.isEmpty ? "" : table.joined(separator: ".") + "."
        return keys.contains { key in
            known.contains(prefix + key)
                || known.contains { $0.hasPrefix(prefix + key + ".") }
        }
    }

    mutating func report(_ path: [String], _ message: String) {
        problems.append(configuration.locations.problem(path, message))
    }

    mutating func warn(_ path: [String], _ message: String) {
        warnings.append(configuration.locations.problem(path, message))
    }

    mutating func report(_ problem: Problem) { problems.append(problem) }

    mutating func warn(_ problem: Problem) { warnings.append(problem) }

    private mutating func checkSecurityFiles() {
        do throws(ConfigurationProblems) {
            let files = try SecurityFiles(configuration, tickets: TLSTicketKeys())
            for warning in files.warnings { warn(["listen"], warning) }
        } catch {
            problems += error.problems
        }
    }

    private mutating func checkLimits() {
        let limit = OpenFiles.hardLimit
        let plan = DescriptorPlan(limit: limit, for: configuration)
        if plan.isLowered, !isKnown(["limits"], ["connections"]) {
            warn(
                ["limits", "connections"],
                "is \(configuration.limits.connections), and the limit of open files, \(limit), has"
                    + " room for \(plan.connections); raise it (LimitNOFILE=, ulimit -Hn)")
        }
    }
}
