internal import ConfigFile
internal import Glibc
internal import Logging
internal import Reactor
internal import Testing

@testable internal import Serving

/// A log that nobody reads.
let silentLog = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The configuration of a text, as a user without special rights has it.
func configuration(_ text: String) throws -> Configuration {
    try ConfigurationReader.read(
        text: text, file: "mooring.toml", folder: "/srv/app",
        environment: ["HOME": "/users/ann"], isRoot: false
    ).get()
}

/// A folder of its own, with a path short enough for sockets.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/mooring-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { fatalError("mkdtemp failed") }
        path = unsafe String(cString: made)
    }

    deinit { remove(path) }

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
        guard let folder = unsafe opendir(path) else {
            unsafe unlink(path)
            return
        }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        unsafe closedir(folder)
        unsafe rmdir(path)
    }
}
