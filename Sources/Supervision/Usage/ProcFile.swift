internal import Glibc

/// Reads /proc: small files that may vanish at any time, which is not an error.
package enum ProcFile {
    /// Longer files are cut.
    private static let sizeLimit = 128 * 1024

    static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return bytes(of: descriptor, limit: sizeLimit)
    }

    /// The bytes from a descriptor, up to about `limit`.
    static func bytes(of descriptor: Int32, limit: Int) -> [UInt8]? {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while content.count < limit {
            let count = unsafe chunk.withUnsafeMutableBytes { room in
                unsafe read(descriptor, room.baseAddress, room.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            content += chunk[0..<count]
        }
        return content
    }

    /// A file as text; nil when it is unreadable.
    package static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names in a directory; none if it is unreadable.
    package static func entries(_ path: String) -> [String] { entries(path) { _ in true } }

    /// The names of the directories in a directory, except `.` and `..`.
    package static func directories(_ path: String) -> [String] {
        entries(path) { $0 == UInt8(DT_DIR) }.filter { $0 != "." && $0 != ".." }
    }

    /// - Parameter isWanted: judges by the type of the entry.
    private static func entries(_ path: String, where isWanted: (UInt8) -> Bool) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            guard unsafe isWanted(entry.pointee.d_type) else { continue }
            names.append(
                unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }
}
