internal import Glibc
internal import Reactor

/// The private directory that holds the processes' sockets and the Python host program.
struct RuntimeDirectory: Sendable, Equatable {
    /// Absolute, without a slash at the end.
    let path: String

    static let socketSuffix = ".sock"
    static let longestSocketPath = 107

    /// Makes the directory (mode 0700) and its parents (0711) where they are missing, and checks it.
    ///
    /// It must be a directory of this user's that nobody else can write to, and not a symbolic link:
    /// whoever can put files there could take the place of a process.
    init(preparing given: String) throws(SupervisionError) {
        path = Self.absolute(given)
        let bytes = path.utf8.count + 1 + ProcessLabel.length + Self.socketSuffix.utf8.count
        if bytes > Self.longestSocketPath {
            throw .socketPathTooLong(path: path, bytes: bytes)
        }
        try makeMissing()
        try check()
    }

    func socketPath(label: String) -> String { "\(path)/\(label)\(Self.socketSuffix)" }

    /// Removes the sockets that a balancer left behind; those that somebody listens on stay.
    ///
    /// - Returns: the paths that were removed.
    func removeStaleSockets() -> [String] {
        let folders = ProcFile.directories(path).filter(Self.isUserFolder).map { "\(path)/\($0)" }
        var removed: [String] = []
        for folder in [path] + folders {
            for name in ProcFile.entries(folder) where name.hasSuffix(Self.socketSuffix) {
                let file = "\(folder)/\(name)"
                if Self.isAbandonedSocket(file), unsafe unlink(file) == 0 { removed.append(file) }
            }
        }
        return removed.sorted()
    }

    /// Writes a file under its final name at once or not at all.
    func write(_ bytes: [UInt8], as name: String, mode: mode_t = 0o600) throws(SupervisionError) {
        let temporary = "\(path)/.\(name).new"
        // What an interrupted run left; never followed or appended to.
        unsafe unlink(temporary)
        let descriptor = unsafe open(
            temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open \(temporary)") }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 {
                let problem = failure("write \(temporary)")
                close(descriptor)
                unsafe unlink(temporary)
                throw problem
            }
            written += count
        }
        // Whatever mask Mooring runs under.
        fchmod(descriptor, mode)
        close(descriptor)
        if unsafe rename(temporary, "\(path)/\(name)") != 0 {
            let problem = failure("rename \(temporary)")
            unsafe unlink(temporary)
            throw problem
        }
    }

    /// The children run elsewhere, so the path must not depend on this process's directory.
    static func absolute(_ given: String) -> String {
        var path = given
        if !path.hasPrefix("/"), let current = unsafe getcwd(nil, 0) {
            path = unsafe "\(String(cString: current))/\(path)"
            unsafe free(current)
        }
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private func makeMissing() throws(SupervisionError) {
        var partial = ""
        for component in path.split(separator: "/") {
            partial += "/\(component)"
            // Parents can be passed through, for processes of other users.
            let mode: mode_t = partial == path ? 0o700 : 0o711
            if unsafe mkdir(partial, mode) != 0 && errno != EEXIST {
                let code = errno
                // A parent that exists may refuse (EACCES, EROFS) what need not be made.
                if unsafe access(partial, F_OK) != 0 {
                    throw .runtimeDirectory(
                        path: path, problem: "\(SystemError.message(code)) (mkdir \(partial))")
                }
            }
        }
    }

    private func check() throws(SupervisionError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            // What O_NOFOLLOW with O_DIRECTORY says of a link.
            if errno == ELOOP || errno == ENOTDIR {
                throw .runtimeDirectory(
                    path: path, problem: "it is a symbolic link or not a directory")
            }
            throw failure("open")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        if status.st_uid != geteuid() {
            throw .runtimeDirectory(
                path: path,
                problem: "it belongs to user \(status.st_uid), and Mooring runs as \(geteuid())")
        }
        if status.st_mode & 0o022 != 0 {
            throw .runtimeDirectory(
                path: path,
                problem: "others may write to it (mode \(String(status.st_mode & 0o777, radix: 8)))"
            )
        }
    }

    private func failure(_ call: String) -> SupervisionError {
        .runtimeDirectory(path: path, problem: "\(SystemError.message(errno)) (\(call))")
    }

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
