internal import Glibc
internal import Reactor

/// A directory whose files nobody else can write, read as our own word later.
struct PrivateDirectory: Sendable, Equatable {
    /// Why it cannot be used, or a file in it not be written.
    struct Problem: Error, Equatable {
        var path: String
        /// Nil: it is there, and not safe to use.
        var errno: Int32?
        var sentence: String
    }

    /// Absolute, without a slash at the end.
    let path: String

    /// Makes the directory (mode 0700) and its parents (0711) where they are missing, and checks it.
    ///
    /// It must be a directory of this user's that nobody else can write to, and not a symbolic link.
    init(preparing given: String) throws(Problem) {
        path = Self.absolute(given)
        try checkWay()
        try makeMissing()
        try check()
    }

    /// The directory as it is, which must be safe to use; nothing is made.
    init(checking given: String) throws(Problem) {
        path = Self.absolute(given)
        try checkWay()
        try check()
    }

    /// Writes a file under its final name at once or not at all.
    func write(_ bytes: [UInt8], as name: String, mode: mode_t = 0o600) throws(Problem) {
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

    private func makeMissing() throws(Problem) {
        var partial = ""
        for component in path.split(separator: "/") {
            partial += "/\(component)"
            // Parents can be passed through, for processes of other users.
            let mode: mode_t = partial == path ? 0o700 : 0o711
            if unsafe mkdir(partial, mode) != 0 && errno != EEXIST {
                let code = errno
                // A parent that exists may refuse (EACCES, EROFS) what need not be made.
                if unsafe access(partial, F_OK) != 0 {
                    throw Problem(
                        path: path, errno: code,
                        sentence: "\(SystemError.message(code)) (mkdir \(partial))")
                }
            }
        }
    }

    /// Files are written by their paths later, so nobody else may be able to exchange a parent.
    private func checkWay() throws(Problem) {
        if let danger = GuardedPath.danger(path) {
            throw Problem(path: path, sentence: danger)
        }
    }

    private func check() throws(Problem) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            // What O_NOFOLLOW with O_DIRECTORY says of a link.
            if errno == ELOOP || errno == ENOTDIR {
                throw Problem(
                    path: path, sentence: "it is a symbolic link or not a directory")
            }
            throw failure("open")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        if status.st_uid != geteuid() {
            throw Problem(
                path: path,
                sentence: "it belongs to user \(status.st_uid), and Mooring runs as \(geteuid())")
        }
        if status.st_mode & 0o022 != 0 {
            throw Problem(
                path: path,
                sentence:
                    "others may write to it (mode \(String(status.st_mode & 0o777, radix: 8)))"
            )
        }
    }

    private func failure(_ call: String) -> Problem {
        let code = errno
        return Problem(
            path: path, errno: code, sentence: "\(SystemError.message(code)) (\(call))")
    }
}
