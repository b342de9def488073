/// The clean environment that spawned processes begin with.
package enum LaunchEnvironment {
    /// Holds the process's public label; descendants inherit it, which is how strays are recognised.
    static let processVariable = "MOORING_PROCESS"

    /// What a process gets of Mooring's own environment unless `pass_env` names more.
    private static let base = ["PATH", "HOME", "LANG", "TZ"]
    private static let defaultPath = "/usr/local/bin:/usr/bin:/bin"

    /// The base variables and those that `names` adds, as far as they are set.
    ///
    /// Nothing else goes over: the balancer's environment may hold keys that are none of an
    /// application's business. `PATH` is always there. With an account `HOME` is that user's, and
    /// `USER`, `LOGNAME` and `SHELL` are set as login(1) does, unless `names` has them.
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
