package import Backends

extension Configuration {
    /// `[admin]`.
    package struct Admin: Equatable, Sendable {
        package var address: ProcessAddress
        /// An absolute path; nil: no token is asked for.
        package var tokenFile: String?
        /// An absolute path; nil: no token is for reading alone.
        package var readTokenFile: String?
        /// `GET /metrics` takes no token.
        package var metricsOpen = false

        init(_ table: TableReader?, _ folders: Folders) {
            address = .unix(path: "\(folders.runtime)/admin.sock")
            guard let table else { return }
            let example = "unix:{runtime_dir}/admin.sock"
            let given = table.text("address", example: example)
            if let given, let address = Self.address(given, table, folders) {
                self.address = address
            }
            tokenFile = folders.path(
                table.optionalText("token_file", example: "admin.token"), table.problems)
            let readToken = table.optionalText("read_token_file", example: "read.token")
            readTokenFile = folders.path(readToken, table.problems)
            metricsOpen = table.boolean("metrics_open") ?? false
            if readToken != nil, tokenFile == nil {
                table.reportMissing(
                    ["token_file"], at: "read_token_file", "keeps nobody from changing anything",
                    "needs token_file beside it, for changes")
            } else if let readToken, readTokenFile == tokenFile {
                table.problems.add(
                    readToken.node, "is that of token_file, which opens everything",
                    "needs a file of its own")
            }
            // Also on 127.0.0.1: every local program, a process of any group too, can connect there.
            if case .tcp = address, tokenFile == nil, given != nil {
                table.reportMissing(
                    ["token_file"], at: "address",
                    "is a port, where any program could stop processes",
                    "needs token_file beside it: (umask 077; openssl rand -hex 32 > admin.token),"
                        + " then token_file = \"admin.token\"; or a unix socket")
            }
            table.finish()
        }

        private static func address(
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
