package import Backends

extension Configuration {
    /// `[admin]`.
    package struct Admin: Equatable, Sendable {
        package var address: ProcessAddress
        /// Absolute path; nil: requests need no token.
        package var tokenFile: String?
        /// Absolute path; nil: there is no read-only token.
        package var readTokenFile: String?
        /// `GET /metrics` needs no token.
        package var metricsOpen = false

        init(address: ProcessAddress) { self.address = address }

        init(_ table: TableReader?, _ folders: Folders) {
            self.init(address: .unix(path: "\(folders.runtime)/admin.sock"))
            guard let table else { return }
            table.read(Self.keys, into: &self, folders)
            let readToken = table.peek("read_token_file")
            if readTokenFile != nil, tokenFile == nil {
                table.reportMissing(
                    ["token_file"], at: "read_token_file", "keeps nobody from changing anything",
                    "needs token_file beside it, for changes")
            } else if let readToken, readTokenFile != nil, readTokenFile == tokenFile {
                table.problems.add(
                    readToken, "is that of token_file, which opens everything",
                    "needs a file of its own")
            }
            // Also required on 127.0.0.1: every local program can connect there, including the
            // groups' own processes.
            if case .tcp = address, tokenFile == nil {
                table.reportMissing(
                    ["token_file"], at: "address",
                    "is a port, where any program could stop processes",
                    "needs token_file beside it: (umask 077; openssl rand -hex 32 > admin.token),"
                        + " then token_file = \"admin.token\"; or a unix socket")
            }
            table.finish()
        }

        static func address(
            _ given: Located<String>, _ table: TableReader, _ folders: Folders
        ) -> ProcessAddress? {
            guard given.value.hasPrefix("unix:") else { return table.address(given) }
            let path = Located(
                value: String(given.value.dropFirst("unix:".count)), node: given.node)
            let isWhole = ["/", "{runtime_dir}/", "{state_dir}/"].contains(
                where: path.value.hasPrefix)
            guard isWhole, let resolved = folders.path(path, table.problems) else {
                table.problems.add(
                    given.node, "is \(given.node.kind)",
                    "needs a whole path, or unix:{runtime_dir}/NAME")
                return nil
            }
            return table.address(Located(value: "unix:\(resolved)", node: given.node))
        }
    }
}
