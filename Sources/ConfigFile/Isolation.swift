extension Configuration {
    /// The account, limits and umask of a group's processes; names are not resolved here.
    package struct Isolation: Equatable, Sendable {
        /// A user's name or number; nil: the user that runs Mooring.
        package var user: String?
        /// A group's name or number; nil: the user's own.
        package var group: String?
        package var userLocation = FileLocation()
        /// Supplementary groups in addition to the user's.
        package var supplementaryGroups: [String] = []
        /// The processes may run as root.
        package var allowRoot = false
        /// Permission bits that their files never have.
        package var umask: UInt32 = 0o022
        /// By resource, named as in setrlimit(2) without `RLIMIT_`.
        package var limits: [String: Limit] = [:]

        /// The limit of one resource for one process.
        package enum Limit: Equatable, Sendable {
            case unlimited
            /// In the resource's own unit: bytes, seconds, a count.
            case atMost(UInt64)
        }

        package init() {}
    }
}

/// Reads the account and limits of a group's processes.
enum IsolationReader {
    /// Resources of setrlimit(2), without `RLIMIT_`; `isSize`: the limit is in bytes.
    private static let resources: [(name: String, isSize: Bool)] = [
        ("as", true), ("core", true), ("cpu", false), ("data", true), ("fsize", true),
        ("memlock", true), ("msgqueue", true), ("nice", false), ("nofile", false),
        ("nproc", false), ("rss", true), ("rtprio", false), ("rttime", false),
        ("sigpending", false), ("stack", true),
    ]

    /// Reports a missing `user`, once all keys have been read.
    static func checkUser(
        _ isolation: Configuration.Isolation, isRoot: Bool, _ table: TableReader
    ) {
        if isolation.user == nil {
            if isolation.group != nil || !isolation.supplementaryGroups.isEmpty {
                let key = isolation.group != nil ? "group" : "groups"
                table.reportMissing(
                    ["user"], at: key, "is given without a user",
                    "add user = \"www-data\"")
            }
            if isRoot, !isolation.allowRoot {
                table.reportMissing(
                    ["user", "allow_root"], "would run as root",
                    "add user = \"www-data\", or allow_root = true if that is meant")
            }
        }
    }

    static func umask(_ table: TableReader) -> UInt32? {
        guard let given = table.text("umask", example: "022") else { return nil }
        let isOctal = (1...4).contains(given.value.utf8.count)
        guard isOctal, !given.value.hasPrefix("+"), let bits = UInt32(given.value, radix: 8),
            bits <= 0o777
        else {
            table.problems.add(
                given.node, "is \(given.node.kind)", "needs an octal number from 000 to 777")
            return nil
        }
        return bits
    }

    static func limits(_ table: TableReader) -> [String: Configuration.Isolation.Limit] {
        guard let table = table.table("rlimits") else { return [:] }
        var limits: [String: Configuration.Isolation.Limit] = [:]
        for resource in resources {
            guard let node = table.take(resource.name) else { continue }
            switch node.value {
            case .text("unlimited"):
                limits[resource.name] = .unlimited
            case .integer(let number) where number >= 0:
                limits[resource.name] = .atMost(UInt64(number))
            case .text(let text) where resource.isSize && SizeText.parse(text) != nil:
                limits[resource.name] = .atMost(UInt64(SizeText.parse(text) ?? 0))
            default:
                let size = resource.isSize ? ", a size like \"2GiB\"" : ""
                table.problems.add(
                    node, "is \(node.kind)", "needs a number\(size) or \"unlimited\"")
            }
        }
        table.finish()
        return limits
    }
}
