internal import Synchronization

/// Who may ask for what; a reload may change it while connections are open.
package final class AdminAccess: Sendable, CustomReflectable {
    /// What is asked for.
    package struct Keys: Sendable {
        /// Opens everything; nil: nothing is asked for, for the socket's file says who may connect.
        package var token: AdminToken?
        /// Opens what is only read; nil: there is none.
        package var readToken: AdminToken?
        /// `/metrics` is open to everybody.
        package var metricsAreOpen: Bool

        package init(
            token: AdminToken? = nil, readToken: AdminToken? = nil, metricsAreOpen: Bool = false
        ) {
            self.token = token
            self.readToken = readToken
            self.metricsAreOpen = metricsAreOpen
        }

        /// Reads the tokens from their files; nil: there is no such token.
        ///
        /// - Throws: `AdminError` when a file cannot be used, or both hold the same token.
        package static func read(
            tokenFile: String?, readTokenFile: String?, metricsAreOpen: Bool
        ) throws(AdminError) -> Keys {
            var keys = Keys(metricsAreOpen: metricsAreOpen)
            if let tokenFile { keys.token = try AdminToken.read(file: tokenFile) }
            if let readTokenFile {
                keys.readToken = try AdminToken.read(
                    file: readTokenFile, setting: "read_token_file")
                if let token = keys.token, keys.readToken?.authorization == token.authorization {
                    throw AdminError(
                        "read_token_file \(readTokenFile) holds the token of token_file, which opens"
                            + " everything; put another one there")
                }
            }
            return keys
        }
    }

    /// What a request may do.
    enum Right {
        case nothing
        case reading
        case everything
    }

    private let keys: Mutex<Keys>

    package init(_ keys: Keys) { self.keys = Mutex(keys) }

    /// From now on these count.
    package func replace(with keys: Keys) { self.keys.withLock { $0 = keys } }

    /// Shows nothing: there are secrets in it.
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// What the `Authorization` fields of a request permit.
    func right(of fields: [String]) -> Right {
        keys.withLock { keys in
            guard let token = keys.token else { return .everything }
            guard fields.count == 1 else { return .nothing }
            if token.isCarried(by: fields.first) { return .everything }
            let reads = keys.readToken?.isCarried(by: fields.first) ?? false
            return reads ? .reading : .nothing
        }
    }

    /// Whether a path is answered whoever asks.
    func isOpen(_ path: String) -> Bool {
        if Endpoint.isOpen(path) { return true }
        return path == Endpoint.of(.metrics).path && keys.withLock { $0.metricsAreOpen }
    }
}
