/// The addresses on which the processes of a tree listen, whatever they were given.
enum OwnListeners {
    /// The most that are listed.
    private static let most = 8

    /// For people; nil: unknown.
    static func of(_ tree: ProcessTree) -> [String]? {
        guard let inodes = tree.sockets() else { return nil }
        if inodes.isEmpty { return [] }
        let ports = (TCPListener.all() ?? []).filter { inodes.contains($0.inode) }.map(\.text)
        let sockets = unixListeners(of: tree.leader).filter { inodes.contains($0.inode) }
            .map { "unix:\($0.path)" }
        return Array((ports + sockets).prefix(most))
    }

    /// Those of a process's network namespace; see proc_net(5).
    private static func unixListeners(of pid: Int32) -> [(inode: UInt64, path: String)] {
        let acceptsConnections: UInt32 = 0x1_0000
        guard let text = ProcFile.text("/proc/\(pid)/net/unix") else { return [] }
        return text.split(separator: "\n").compactMap { line in
            // Num RefCount Protocol Flags Type St Inode Path
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, let flags = UInt32(fields[3], radix: 16),
                flags & acceptsConnections != 0, let inode = UInt64(fields[6])
            else { return nil }
            return (inode, PrintableText.line(Array(fields[7].utf8).span))
        }
    }
}
