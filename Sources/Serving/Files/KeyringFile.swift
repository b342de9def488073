internal import Reactor
internal import SessionAffinity

/// The file of the keys that sign session cookies, created at the first start.
enum KeyringFile {
    /// Reads the keys, or creates the first one.
    ///
    /// - Throws: `ServingError` that names the file and the remedy.
    static func load(_ path: String) throws -> (keyring: Keyring, isNew: Bool) {
        if let keyring = try read(path) { return (keyring, false) }
        let fresh = Keyring(firstKey: freshKey())
        let isNew = try PrivateFiles.createSecret(path, fresh.text)
        if isNew { return (fresh, true) }
        guard let keyring = try read(path) else {
            throw ServingError.failed("\(path) vanished while it was read; start again")
        }
        return (keyring, false)
    }

    /// The keys in the file; nil when there is none.
    ///
    /// - Throws: `ServingError` that names the file and the remedy.
    static func read(_ path: String) throws -> Keyring? {
        guard let text = try PrivateFiles.readSecret(path) else { return nil }
        do {
            return try Keyring.parse(text)
        } catch {
            throw ServingError.failed("\(path): \(error)")
        }
    }

    /// 32 bytes from the kernel.
    private static func freshKey() -> [UInt8] {
        var entropy = Entropy()
        return (0..<4).flatMap { _ in
            let word = entropy.word()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
    }
}
