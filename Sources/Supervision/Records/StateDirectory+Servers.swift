internal import Backends
internal import Glibc

/// Records of servers out of service: one file for each group, a line for each server.
extension StateDirectory {
    private static let suffix = ".servers"
    private static let draining = "draining"
    private static let stopped = "stopped"
    private static let sizeLimit = 1 << 20

    /// Replaces the record of a group; without servers it has none.
    func write(
        _ servers: [OutOfService], ofGroup name: String
    ) throws(PrivateDirectory.Problem) {
        if servers.isEmpty { return try remove(name + Self.suffix) }
        let lines = servers.map { server in
            "\(server.isDraining ? Self.draining : Self.stopped) \(server.label)\n"
        }
        try replace(name + Self.suffix, Array(lines.joined().utf8))
    }

    /// What is recorded of a group; lines that make no sense are left out.
    func serversOut(ofGroup name: String) -> [OutOfService] {
        guard let text = try? text(of: name + Self.suffix, limit: Self.sizeLimit) else { return [] }
        return text.split(separator: "\n").prefix(1000).compactMap { line in
            // A path may have spaces.
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, [Self.draining, Self.stopped].contains(String(words[0])) else {
                return nil
            }
            return OutOfService(
                label: String(words[1]), isDraining: words[0] == Self.draining)
        }
    }
}
