internal import Glibc
internal import Reactor

/// The private directory of the processes' sockets and the Python host program.
struct RuntimeDirectory: Sendable, Equatable {
    private let folder: PrivateDirectory
    /// Absolute, without a trailing slash.
    var path: String { folder.path }

    static let socketSuffix = ".sock"
    static let longestSocketPath = 107

    /// Creates the directory and its parents if missing, and checks it.
    ///
    /// Another user who could create files there could impersonate a process.
    init(preparing given: String) throws(SupervisionError) {
        let path = Self.absolute(given)
        let bytes = path.utf8.count + 1 + ProcessLabel.length + Self.socketSuffix.utf8.count
        if bytes > Self.longestSocketPath {
            throw .socketPathTooLong(path: path, bytes: bytes)
        }
        do {
            folder = try PrivateDirectory(preparing: path)
        } catch {
            throw SupervisionError(runtimeDirectory: error)
        }
    }

    func socketPath(label: String) -> String { "\(path)/\(label)\(Self.socketSuffix)" }

    /// Removes the sockets that a balancer left behind, except those with a listener.
    ///
    /// - Parameter kept: paths in use, possibly without a listener yet.
    /// - Returns: the removed paths.
    func removeStaleSockets(keeping kept: Set<String> = []) -> [String] {
        let folders = ProcFile.directories(path).filter(Self.isUserFolder).map { "\(path)/\($0)" }
        var removed: [String] = []
        for folder in [path] + folders {
            for name in ProcFile.entries(folder) where name.hasSuffix(Self.socketSuffix) {
                let file = "\(folder)/\(name)"
                if kept.contains(file) { continue }
                if Self.isAbandonedSocket(file), unsafe unlink(file) == 0 { removed.append(file) }
            }
        }
        return removed.sorted()
    }

    /// Writes the Python host program, each file atomically.
    ///
    /// Processes of other users read it too, and Python lists the folder that it imports from,
    /// which the runtime directory does not allow; so it has its own folder (mode 0755).
    func writeHost(_ files: [(name: String, content: [UInt8])]) throws(SupervisionError) {
        do throws(PrivateDirectory.Problem) {
            let host = try PrivateDirectory(preparing: Self.hostFolder(in: path))
            for file in files { try host.write(file.content, as: file.name, mode: 0o644) }
            if unsafe chmod(host.path, 0o755) != 0 {
                throw PrivateDirectory.Problem(
                    path: host.path, errno: errno,
                    sentence: "\(SystemError.message(errno)) (chmod)")
            }
        } catch {
            throw SupervisionError(runtimeDirectory: error)
        }
    }

    static func hostFolder(in path: String) -> String { "\(absolute(path))/host" }

    static func absolute(_ given: String) -> String { PrivateDirectory.absolute(given) }

    private static func isAbandonedSocket(_ file: String) -> Bool {
        var status = stat()
        guard unsafe lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            return false
        }
        do {
            try SocketAddress.unix(file).connect().socket.close()
            return false
        } catch {
            return error.errno == ECONNREFUSED
        }
    }
}
