internal import Foundation
internal import Glibc

/// A folder for one test, with a path short enough for sockets.
package final class TemporaryFolder: Sendable {
    package let path: String
    private let isOwn: Bool

    package init() {
        var template = Array("/tmp/mooring-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { fatalError("mkdtemp failed") }
        path = unsafe String(cString: made)
        isOwn = true
    }

    /// One that another program has made, and removes.
    package init(borrowing path: String) {
        self.path = path
        isOwn = false
    }

    deinit { if isOwn { remove() } }

    /// Removes the folder with all its contents; harmless when repeated.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    package func file(_ name: String, _ text: String, mode: UInt32 = 0o600) -> String {
        let file = "\(path)/\(name)"
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        var bytes = Array(text.utf8)
        _ = unsafe write(descriptor, &bytes, bytes.count)
        close(descriptor)
        return file
    }
}
