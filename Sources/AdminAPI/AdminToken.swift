internal import Glibc

/// The secret of `Authorization: Bearer`, which is never printed.
package struct AdminToken: Sendable, CustomStringConvertible, CustomReflectable {
    /// Shorter ones could be guessed.
    package static let minimumLength = 16
    static let maximumLength = 1024

    private let bytes: [UInt8]

    /// - Throws: `AdminError` when the secret is too short, too long or not visible ASCII.
    package init(_ secret: String) throws(AdminError) {
        bytes = Array(secret.utf8)
        guard bytes.count >= Self.minimumLength else {
            throw AdminError(
                "the admin token has \(bytes.count) characters; use at least "
                    + "\(Self.minimumLength), for example: openssl rand -hex 32")
        }
        guard bytes.count <= Self.maximumLength else {
            throw AdminError("the admin token is longer than \(Self.maximumLength) characters")
        }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw AdminError("the admin token has characters other than visible ASCII")
        }
    }

    /// Reads the secret in the file of `token_file`, without surrounding white space.
    ///
    /// - Throws: `AdminError` when the file is unreadable, or other users can read or write it.
    package static func read(file path: String) throws(AdminError) -> AdminToken {
        try read(file: path, setting: "token_file")
    }

    /// Reads the secret from the file that a setting names.
    ///
    /// The mode checked is that of the opened file, so it cannot be replaced between check and use.
    ///
    /// - Throws: `AdminError` when the file is unreadable, or other users can read or write it.
    package static func read(file path: String, setting: String) throws(AdminError) -> AdminToken {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw AdminError("\(setting) \(path): \(errorMessage(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw AdminError("\(setting) \(path): \(errorMessage(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw AdminError("\(setting) \(path) is not a plain file")
        }
        guard status.st_mode & 0o027 == 0 else {
            throw AdminError(
                "\(setting) \(path) may be read or written by other users; run: chmod 600 \(path)")
        }
        var content = [UInt8](repeating: 0, count: maximumLength + 64)
        let count = unsafe content.withUnsafeMutableBytes { buffer in
            unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        }
        guard count >= 0 else { throw AdminError("\(setting) \(path): \(errorMessage(errno))") }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let trimmed = content[0..<count].drop(while: isSpace).reversed().drop(while: isSpace)
        do {
            return try AdminToken(String(decoding: trimmed.reversed(), as: UTF8.self))
        } catch {
            throw AdminError("\(setting) \(path): \(error.description)")
        }
    }

    /// The `Authorization` field with the secret, for a client; never print it.
    package var authorization: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }

    /// Whether an `Authorization` field contains this secret; compares in constant time.
    func isCarried(by authorization: String?) -> Bool {
        guard let authorization else { return false }
        let field = Array(authorization.utf8)
        let scheme = Array("bearer ".utf8)
        guard field.count > scheme.count else { return false }
        for (index, letter) in scheme.enumerated() where field[index] | 0x20 != letter {
            return false
        }
        let given = field[scheme.count...]
        var difference = given.count ^ bytes.count
        for (index, byte) in given.prefix(bytes.count).enumerated() {
            difference |= Int(byte ^ bytes[index])
        }
        return difference == 0
    }

    package var description: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The system's message for an errno.
func errorMessage(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
}
