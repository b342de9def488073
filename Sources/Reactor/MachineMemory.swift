internal import Glibc

/// The memory available to this program.
package enum MachineMemory {
    /// The machine's memory, or the limit of the program's cgroup or one above it, if that is
    /// lower.
    ///
    /// - Parameter root: the directory of `proc` and `sys`.
    package static func bytes(root: String = "") -> Int {
        var least = physical(root) ?? Int(sysconf(Int32(_SC_PHYS_PAGES))) * pageSize
        for file in limitFiles(root) {
            guard let text = content(file), let limit = number(text), limit > 0 else { continue }
            least = min(least, limit)
        }
        return least
    }

    private static var pageSize: Int { Int(sysconf(Int32(_SC_PAGESIZE))) }

    private static func physical(_ root: String) -> Int? {
        guard let text = content(root + "/proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            return number(line.dropFirst("MemTotal:".count)).map { $0 * 1024 }
        }
        return nil
    }

    /// The limit files of the program's cgroup and of all above it, in the unified hierarchy and in
    /// the memory controller's (cgroups(7)).
    private static func limitFiles(_ root: String) -> [String] {
        guard let text = content(root + "/proc/self/cgroup") else { return [] }
        var files: [String] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let base: String
            let name: String
            if parts[1].isEmpty {
                (base, name) = (root + "/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (base, name) = (root + "/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var folders = parts[2].split(separator: "/")
            while true {
                files.append(([base] + folders.map(String.init) + [name]).joined(separator: "/"))
                if folders.popLast() == nil { break }
            }
        }
        return files
    }

    /// The first number; nil: none, as in `max`.
    private static func number(_ text: some StringProtocol) -> Int? {
        let digits = text.drop { $0 == " " }.prefix { $0.isASCII && $0.isNumber }
        if digits.isEmpty { return nil }
        return Int(digits) ?? .max
    }

    private static func content(_ file: String) -> String? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
