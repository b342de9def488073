internal import Glibc

/// A file (or standard error) that lines are appended to.
package struct OutputFile: Sendable {
    package let descriptor: Int32
    private let owned: Bool

    /// Standard error; closing it does nothing.
    package static let standardError = OutputFile(descriptor: 2, owned: false)

    private init(descriptor: Int32, owned: Bool) {
        self.descriptor = descriptor
        self.owned = owned
    }

    /// Opens for appending, made with mode 0640 when missing; a symbolic link is not followed.
    ///
    /// - Parameter onlyFiles: whether pipes are refused (EINVAL), whose reader could keep the writer
    ///   waiting.
    package init(appendingTo path: String, onlyFiles: Bool = false) throws(SystemError) {
        // Without it the open of a pipe would wait for a reader; it means nothing for files.
        let mode = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let result = unsafe path.withCString {
            unsafe open($0, onlyFiles ? mode | O_NONBLOCK : mode, 0o640)
        }
        if result < 0 { throw SystemError(call: "open \(path)", errno: errno) }
        self.init(descriptor: result, owned: true)
        if onlyFiles, !isFileOrDevice {
            close()
            throw SystemError(call: "open \(path)", errno: EINVAL)
        }
    }

    private var isFileOrDevice: Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT)
    }

    /// Writes all bytes; what keeps it from that, a full disk among others, is the caller's to count.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                guard let base = all.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, base + written, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { throw SystemError(call: "write", errno: count < 0 ? errno : EIO) }
            written += count
        }
    }

    /// Closes what was opened here; not standard error.
    package func close() {
        if owned { _ = Glibc.close(descriptor) }
    }
}
