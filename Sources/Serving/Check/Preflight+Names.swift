internal import ConfigFile
internal import Reactor
internal import Settings

extension Preflight {
    private static let patience: Int64 = 3_000_000_000

    /// Warns of names of servers that cannot be looked up now.
    mutating func checkNames() {
        let groups = configuration.groups.filter { !isKnown(["group", $0.name], ["servers"]) }
        let names = Set(groups.flatMap { $0.servers.compactMap(\.address.name) }).sorted()
        if names.isEmpty { return }
        let answers =
            (try? NameResolver.answers(
                for: names, servers: configuration.dns.servers, within: Self.patience)) ?? []
        for group in groups {
            for name in Set(group.servers.compactMap(\.address.name)).sorted() {
                let answer = answers.first { $0.name == name }
                let failure = answer?.failure ?? "no answer in time"
                if failure.isEmpty { continue }
                warn(
                    ["group", group.name, "servers"],
                    "holds the name \(name), which cannot be looked up now: \(failure)")
            }
        }
    }
}
