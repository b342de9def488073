internal import Glibc
internal import Reactor

/// Files and folders that only this user may access.
enum PrivateFiles {
    /// Creates a folder (mode 0700) and its parents if missing, and checks it.
    ///
    /// - Throws: `ServingError` that names the folder and the setting that selects it.
    static func prepareFolder(_ path: String, setting: String) throws {
        if let danger = GuardedPath.danger(path) {
            throw ServingError.failed(
                "\(path) is not safe: \(danger); set \(setting) to another folder")
        }
        var partial = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            partial += "/\(component)"
            guard unsafe mkdir(partial, 0o700) != 0, errno != EEXIST else { continue }
            let code = errno
            // An existing parent may refuse the creation of one that exists (EACCES, EROFS).
            guard unsafe access(partial, F_OK) == 0 else {
                throw ServingError.failed(
                    "cannot make \(partial): \(SystemError.message(code)); set \(setting) to a"
                        + " folder that can be written")
            }
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw ServingError.failed("\(path) is not a folder; set \(setting) to one")
        }
        guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw ServingError.failed(
                "\(path) belongs to another user or can be written by others; run: chmod 700"
                    + " \(path), or set \(setting) to a folder of Mooring's own")
        }
    }

    /// The text of a secret file; nil when there is none.
    ///
    /// The mode checked is that of the opened file, and links are not followed, so the file cannot
    /// be replaced between check and use.
    ///
    /// - Throws: `ServingError` when other users may read it, or it is unreadable.
    static func readSecret(_ path: String, limit: Int = 64 * 1024) throws -> String? {
        let descriptor: Int32
        do {
            descriptor = try GuardedPath.open(path, O_RDONLY | O_NONBLOCK)
        } catch {
            if error.errno == ENOENT { return nil }
            throw ServingError.failed("cannot \(error.call): \(SystemError.message(error.errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ServingError.failed("\(path) is not a plain file")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw ServingError.failed(
                "\(path) belongs to another user; run: chown \(geteuid()) \(path)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ServingError.failed(
                "\(path) holds secrets and may be used by others; run: chmod 600 \(path)")
        }
        guard status.st_size <= limit else {
            throw ServingError.failed("\(path) has more than \(limit) bytes")
        }
        var content = [UInt8](repeating: 0, count: limit)
        var length = 0
        while length < limit {
            let count = unsafe content[length...].withUnsafeMutableBytes { rest in
                unsafe read(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            length += count
        }
        return String(decoding: content[..<length], as: UTF8.self)
    }

    /// Writes a new secret file (mode 0600) that survives a power failure.
    ///
    /// - Returns: false when there is one already; it is not changed.
    /// - Throws: `ServingError` when it cannot be written.
    static func createSecret(_ path: String, _ text: String) throws -> Bool {
        let temporary = "\(path).\(getpid()).new"
        if let danger = GuardedPath.danger(folder(of: path)) {
            throw ServingError.failed("\(path) cannot be kept secret: \(danger)")
        }
        // Left by an interrupted run with the same pid; never followed or written to.
        unsafe unlink(temporary)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe open(temporary, flags, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        defer { unsafe unlink(temporary) }
        let isWritten = writeAll(text, to: descriptor) && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        guard isWritten else {
            throw ServingError.failed("cannot write \(temporary): \(SystemError.message(code))")
        }
        // Linked rather than renamed: of two concurrent starts, the second uses the first one's
        // file.
        guard unsafe link(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw failure("write", path)
        }
        syncFolder(of: path)
        return true
    }

    private static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                unsafe write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            written += count
        }
        return true
    }

    private static func folder(of path: String) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return folder.isEmpty ? "/" : folder
    }

    private static func syncFolder(of path: String) {
        let descriptor = unsafe open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ what: String, _ path: String) -> ServingError {
        .failed("cannot \(what) \(path): \(SystemError.message(errno))")
    }
}
