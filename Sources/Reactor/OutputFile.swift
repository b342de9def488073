internal import CLinux
internal import Glibc

/// A file (or standard error) that lines are appended to.
package struct OutputFile: Sendable {
    package let descriptor: Int32
    private let owned: Bool
    /// Time between two checks whether to keep waiting for a reader, in milliseconds.
    private static let patience: Int32 = 100

    /// Standard error; closing it does nothing.
    package static let standardError = OutputFile(descriptor: 2, owned: false)

    private init(descriptor: Int32, owned: Bool) {
        self.descriptor = descriptor
        self.owned = owned
    }

    /// Opens for appending; creates a missing file with mode 0640.
    ///
    /// No symbolic link is followed at the end of the path, and with root's rights none before it
    /// that another user could have created. A pipe is opened even without a reader, and its writes
    /// wait no longer than `write` allows.
    ///
    /// - Parameter onlyFiles: whether pipes are refused (EINVAL).
    package init(appendingTo path: String, onlyFiles: Bool = false) throws(SystemError) {
        // Without O_NONBLOCK, opening a pipe would wait for a reader; it has no effect on files.
        let mode = O_APPEND | O_NONBLOCK
        let result = unsafe path.withCString { path in
            let opened = unsafe mooring_open_guarded(path, mode | O_WRONLY | O_CREAT, 0o640)
            // The pipe has no reader: open it for reading too, so that it buffers what fits.
            guard opened == -ENXIO, !onlyFiles else { return opened }
            return unsafe mooring_open_guarded(path, mode | O_RDWR, 0)
        }
        try SystemError.check(result, "open \(path)")
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

    /// Writes all bytes; the caller handles failures such as a full disk.
    ///
    /// Waits for a reader that has stopped reading, so call it only on threads that no other thread
    /// waits for.
    ///
    /// - Parameter goesOn: called now and then while the reader does not read; false: give up
    ///   (EAGAIN).
    package func write(
        _ bytes: [UInt8], while goesOn: () -> Bool = { true }
    ) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                guard let base = all.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, base + written, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN && goesOn() {
                waitForRoom()
                continue
            }
            if count <= 0 { throw SystemError(call: "write", errno: count < 0 ? errno : EIO) }
            written += count
        }
    }

    private func waitForRoom() {
        var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&question, 1, Self.patience)
    }

    /// Closes a file that was opened here, but not standard error.
    package func close() {
        if owned { _ = Glibc.close(descriptor) }
    }
}
