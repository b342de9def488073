internal import Glibc
internal import Reactor

/// The private directory that holds the processes' sockets and the Python host program.
struct RuntimeDirectory: Sendable, Equatable {
    private let folder: PrivateDirectory
    /// Absolute, without a slash at the end.
    var path: String { folder.path }

    static let socketSuffix = ".sock"
    static let longestSocketPath = 107

    /// Makes the directory and its parents where they are missing, and checks it.
    ///
    /// Whoever else can put files there could take the place of a process.
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

    /// Removes the sockets that a balancer left behind; those that somebody listens on stay.
    ///
    /// - Parameter kept: paths that are in use, though perhaps nobody listens yet.
    /// - Returns: the paths that were removed.
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

    /// Writes the Python host program, each file at once or not at all.
    ///
    /// Processes of other users read it too, and Python lists the folder that it imports from, which
    /// the runtime directory itself does not allow; so it has a folder of its own (mode 0755).
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
