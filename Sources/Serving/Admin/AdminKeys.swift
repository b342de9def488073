internal import AdminAPI
internal import ConfigFile

extension Configuration.Admin {
    /// The access settings of the admin API, with tokens read from their files.
    ///
    /// - Throws: `AdminError`, one sentence.
    func keys() throws(AdminError) -> AdminAccess.Keys {
        try AdminAccess.Keys.read(
            tokenFile: tokenFile, readTokenFile: readTokenFile, metricsAreOpen: metricsOpen)
    }
}
