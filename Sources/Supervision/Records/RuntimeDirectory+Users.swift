internal import Glibc

/// Subdirectories of the runtime directory for processes of other users.
///
/// A process creates its own socket, so it needs a writable directory: `uUID`, which only its user
/// can access. The runtime directory itself stays Mooring's and becomes traversable (mode 0711),
/// but not listable.
///
/// The contents of a `uUID` directory are under its user's control. Mooring opens nothing in it,
/// and when it connects to a socket there it checks that this user listens (SO_PEERCRED): a
/// symbolic link could lead Mooring, with root's rights, to another service's socket.
extension RuntimeDirectory {
    private static let userPrefix = "u"

    static func isUserFolder(_ name: String) -> Bool {
        name.hasPrefix(userPrefix) && UInt32(name.dropFirst(userPrefix.utf8.count)) != nil
    }

    /// The socket path for a process of the user; creates its directory if missing.
    func socketPath(label: String, for account: Account) throws(SpawnFailure) -> String {
        let folder = "\(path)/\(Self.userPrefix)\(account.user)"
        let socket = "\(folder)/\(label)\(Self.socketSuffix)"
        if socket.utf8.count > Self.longestSocketPath {
            throw SpawnFailure(
                errno: ENAMETOOLONG, subject: socket, step: "socket",
                advice: "set runtime_dir to a shorter path")
        }
        if unsafe mkdir(folder, 0o700) != 0 && errno != EEXIST {
            throw failure("mkdir", folder)
        }
        try give(folder, to: account)
        try letPass()
        return socket
    }

    /// Only Mooring can create or rename entries of the runtime directory, so this check stays
    /// valid.
    private func give(_ folder: String, to account: Account) throws(SpawnFailure) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat", folder) }
        if status.st_uid != account.user || status.st_gid != account.group {
            // Just created, or left this way by an interrupted start.
            guard fchown(descriptor, account.user, account.group) == 0 else {
                if errno == EPERM, geteuid() != 0 {
                    throw SpawnFailure(
                        errno: errno, subject: folder, step: "chown",
                        advice: "only root can start processes as another user: run Mooring as"
                            + " root, or take user out of the group")
                }
                throw failure("chown", folder)
            }
        }
        if status.st_mode & 0o777 != 0o700, fchmod(descriptor, 0o700) != 0 {
            throw failure("chmod", folder)
        }
    }

    private func letPass() throws(SpawnFailure) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw failure("stat", path) }
        if status.st_mode & 0o111 == 0o111 { return }
        if unsafe chmod(path, status.st_mode & 0o777 | 0o111) != 0 { throw failure("chmod", path) }
    }

    private func failure(_ call: String, _ subject: String) -> SpawnFailure {
        SpawnFailure(
            errno: errno, subject: subject, step: call,
            advice: "the runtime directory must be Mooring's own and writable")
    }
}
