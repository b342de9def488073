internal import Glibc
internal import Reactor

/// A directory that only this user can write to, so its files can be trusted later.
struct PrivateDirectory: Sendable, Equatable {
    /// Why it cannot be used, or a file in it cannot be written.
    struct Problem: Error, Equatable {
        var path: String
        /// Nil: it exists but is not safe to use.
        var errno: Int32?
        var sentence: String
    }

    /// Absolute, without a trailing slash.
    let path: String

    /// Creates the directory (mode 0700) and its parents (0711) if missing, and checks it.
    ///
    /// It must be a directory of this user that no other user can write to, and not a symbolic
    /// link.
    init(preparing given: String) throws(Problem) {
        path = Self.absolute(given)
        try checkWay()
        try makeMissing()
        try check()
    }

    /// The existing directory, which must be safe to use; creates nothing.
    init(checking given: String) throws(Problem) {
        path = Self.absolute(given)
        try checkWay()
        try check()
    }

    /// Writes a file atomically under its final name.
    func write(_ bytes: [UInt8], as name: String, mode: mode_t = 0o600) throws(Problem) {
        let temporary = "\(path)/.\(name).new"
        // Left by an interrupted run; never followed or appended to.
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
        // Independent of Mooring's own umask.
        fchmod(descriptor, mode)
        close(descriptor)
        if unsafe rename(temporary, "\(path)/\(name)") != 0 {
            let problem = failure("rename \(temporary)")
            unsafe unlink(temporary)
            throw problem
        }
    }

    /// Children run in other directories, so the path must not depend on this process's.
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
            // Parents must be traversable for processes of other users.
            let mode: mode_t = partial == path ? 0o700 : 0o711
            if unsafe mkdir(partial, mode) != 0 && errno != EEXIST {
                let code = errno
                // An existing parent may refuse the creation of one that exists (EACCES, EROFS).
                if unsafe access(partial, F_OK) != 0 {
                    throw Problem(
                        path: path, errno: code,
                        sentence: "\(SystemError.message(code)) (mkdir \(partial))")
                }
            }
        }
    }

    /// Files are written by path later, so no other user may be able to replace a parent.
    private func checkWay() throws(Problem) {
        if let danger = GuardedPath.danger(path) {
            throw Problem(path: path, sentence: danger)
        }
    }

    private func check() throws(Problem) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            // The errors for a link with O_NOFOLLOW and O_DIRECTORY.
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
