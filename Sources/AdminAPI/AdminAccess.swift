internal import Synchronization

/// Access control of the admin API; a reload may change it while connections are open.
package final class AdminAccess: Sendable, CustomReflectable {
    /// The tokens and open paths.
    package struct Keys: Sendable {
        /// Grants full access; nil: no token is needed, since the socket's file mode restricts who
        /// may connect.
        package var token: AdminToken?
        /// Grants read access; nil: there is none.
        package var readToken: AdminToken?
        /// `/metrics` needs no token.
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
        /// - Throws: `AdminError` when a file cannot be used, or both contain the same token.
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

    /// The access that a request has.
    enum Right {
        case nothing
        case reading
        case everything
    }

    private let keys: Mutex<Keys>

    package init(_ keys: Keys) { self.keys = Mutex(keys) }

    /// Replaces the tokens.
    package func replace(with keys: Keys) { self.keys.withLock { $0 = keys } }

    /// Hides the secrets from printing and dumping.
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The access granted by the `Authorization` fields of a request.
    func right(of fields: [String]) -> Right {
        keys.withLock { keys in
            guard let token = keys.token else { return .everything }
            guard fields.count == 1 else { return .nothing }
            if token.isCarried(by: fields.first) { return .everything }
            let reads = keys.readToken?.isCarried(by: fields.first) ?? false
            return reads ? .reading : .nothing
        }
    }

    /// Whether a path needs no token.
    func isOpen(_ path: String) -> Bool {
        if Endpoint.isOpen(path) { return true }
        return path == Endpoint.of(.metrics).path && keys.withLock { $0.metricsAreOpen }
    }
}
