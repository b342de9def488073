/// The clean environment of spawned processes.
package enum LaunchEnvironment {
    /// The process's public label; descendants inherit it, which identifies strays.
    static let processVariable = "MOORING_PROCESS"

    /// The variables inherited from Mooring's own environment without `pass_env`.
    private static let base = ["PATH", "HOME", "LANG", "TZ"]
    private static let defaultPath = "/usr/local/bin:/usr/bin:/bin"

    /// The base variables and those in `names`, as far as they are set.
    ///
    /// No others are inherited: the balancer's environment may contain secrets that do not concern
    /// an application. `PATH` is always set. With an account, `HOME` is that user's, and `USER`,
    /// `LOGNAME` and `SHELL` are set as login(1) does, unless `names` has them.
    package static func base(
        from own: [String: String], passing names: [String], account: Account? = nil
    ) -> [String: String] {
        var environment = ["PATH": defaultPath]
        for name in base {
            if let value = own[name] { environment[name] = value }
        }
        if let account {
            environment["HOME"] = account.home
            environment["USER"] = account.name
            environment["LOGNAME"] = account.name
            environment["SHELL"] = account.shell
        }
        for name in names {
            if let value = own[name] { environment[name] = value }
        }
        return environment
    }
}
