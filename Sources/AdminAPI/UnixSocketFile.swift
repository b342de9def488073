internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The file of the admin socket: never visible with a wider mode than 0600, never taken from a
/// running program.
///
/// The socket is bound inside a new 0700 folder, given its mode and then renamed to its place; so
/// another user can never connect, and a stale file is replaced atomically.
struct UnixSocketFile: Sendable {
    let path: String
    private let folder: String

    /// Where to bind before `publish`.
    var bindPath: String { "\(folder)/s" }

    /// Creates the folder to bind in.
    ///
    /// - Throws: `AdminError` when the path is taken, too long, or its folder cannot be written.
    init(path: String) async throws {
        self.path = path
        guard path.utf8.count <= Self.lengthLimit else {
            throw AdminError(
                "the admin address unix:\(path) is \(path.utf8.count) bytes long, a unix socket"
                    + " path has \(Self.lengthLimit); set [admin] address or runtime_dir to a"
                    + " shorter one")
        }
        try await Self.refuseIfAlive(path)
        folder = try Self.makeFolder(beside: path)
    }

    /// Sets the mode and moves the bound socket to its place.
    func publish() throws(AdminError) {
        defer { unsafe rmdir(folder) }
        guard unsafe chmod(bindPath, 0o600) == 0, unsafe rename(bindPath, path) == 0 else {
            let message = errorMessage(errno)
            unsafe unlink(bindPath)
            throw AdminError("cannot make the admin socket \(path): \(message)")
        }
    }

    /// Removes the file; called when the server has ended, harmless when it is gone.
    func remove() {
        unsafe unlink(bindPath)
        unsafe rmdir(folder)
        unsafe unlink(path)
    }

    private static let lengthLimit = 107

    private static func refuseIfAlive(_ path: String) async throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw AdminError("the admin address unix:\(path) is taken by a file; move it away")
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(1))
        guard let channel = try? await bootstrap.connect(unixDomainSocketPath: path).get() else {
            return
        }
        try? await channel.close()
        throw AdminError(
            "another program listens on the admin address unix:\(path); stop it first, or set"
                + " [admin] address or runtime_dir to another one")
    }

    private static func makeFolder(beside path: String) throws(AdminError) -> String {
        let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        var template = Array("\(parent)/.XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard made else {
            throw AdminError("cannot write into \(parent) (admin socket): \(errorMessage(errno))")
        }
        let bytes = template.dropLast().map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
