internal import Glibc

@testable internal import Supervision

/// A private directory for one test, with a path short enough for sockets.
final class TestDirectory: Sendable {
    let path: String
    private let isOwn: Bool

    init() {
        var template = Array("/tmp/mooring-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { fatalError("mkdtemp failed") }
        path = unsafe String(cString: made)
        isOwn = true
    }

    /// One that another program has made, and removes.
    init(borrowing path: String) {
        self.path = path
        isOwn = false
    }

    deinit { if isOwn { remove() } }

    /// Removes it with all that is in it; harmless when repeated.
    func remove() { remove(path) }

    /// Writes a file and returns its path.
    func file(_ name: String, _ text: String, mode: mode_t = 0o600) -> String {
        let file = "\(path)/\(name)"
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        var bytes = Array(text.utf8)
        _ = unsafe write(descriptor, &bytes, bytes.count)
        close(descriptor)
        return file
    }

    private func remove(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in ProcFile.entries(path) where name != "." && name != ".." {
                remove("\(path)/\(name)")
            }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }
}
